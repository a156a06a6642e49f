import { CircleAlert, TriangleAlert, X } from 'lucide-react';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { useProblems, type Found } from './problems';

const isOfSettings = ({ path }: Found): boolean => /^\$\.(settings|errorHandling)\b/.test(path);

/** What is wrong, each a way to where it is. */
export function Problems({ onClose, onNode, onSettings }: { onClose: () => void; onNode: (id: string) => void; onSettings: () => void }) {
  const { say } = useWords();
  const list = useProblems((state) => state.list);
  return (
    <section aria-label={say('problems.title')} className="absolute right-3 bottom-3 left-3 z-30 mx-auto max-h-[40%] max-w-3xl overflow-y-auto rounded-xl border border-line bg-raised shadow-[var(--shadow-high)]">
      <header className="flex items-center justify-between px-4 pt-2.5">
        <h2>{list.length ? say('problems.title') : say('problems.none')}</h2>
        <Button look="quiet" aria-label={say('app.close')} icon={<X size={15} aria-hidden />} onClick={onClose} />
      </header>
      <ul className="p-2">
        {list.map((each, index) => (
          <li key={index}>
            <button type="button" disabled={!each.nodeId && !isOfSettings(each)} onClick={() => (each.nodeId ? onNode(each.nodeId) : onSettings())} className="flex w-full items-start gap-2.5 rounded-lg px-2 py-1.5 text-left text-[13px] enabled:hover:bg-sunk">
              {each.severity === 'error' ? <CircleAlert size={15} className="mt-0.5 shrink-0 text-bad" aria-hidden /> : <TriangleAlert size={15} className="mt-0.5 shrink-0 text-warn" aria-hidden />}
              <span>{each.nodeId && <code className="mr-1.5 font-mono text-xs text-soft">{each.nodeId}</code>}{each.message}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
