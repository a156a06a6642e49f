import { useWords } from '../i18n';
import { Dialog } from '../kit/Dialog';
import { ACTIONS, keysShown } from './actions';
import type { Action, Part } from './actions/action';

const PARTS: readonly Part[] = ['edit', 'arrange', 'view', 'move'];

/** Every shortcut, from the list that binds them. */
export function Shortcuts({ onClose }: { onClose: () => void }) {
  const { say } = useWords();
  const rows = (part: Part) => {
    const byLabel = new Map<string, Action[]>();
    for (const each of ACTIONS) if (each.part === part) byLabel.set(each.label, [...(byLabel.get(each.label) ?? []), each]);
    return [...byLabel.values()];
  };
  return (
    <Dialog title={say('edit.shortcuts')} isOpen onClose={onClose} closeLabel={say('app.close')} isWide>
      <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
        {PARTS.map((part) => (
          <section key={part} aria-label={say(`part.${part}`)}>
            <h3 className="mb-1 text-xs font-semibold text-soft">{say(`part.${part}`)}</h3>
            <dl className="text-[13px]">
              {rows(part).map((each) => (
                <div key={each[0]!.label} className="flex items-center justify-between gap-4 border-b border-line py-1" data-shortcut={each[0]!.name}>
                  <dt>{say(each[0]!.label)}</dt>
                  <dd className="flex flex-wrap justify-end gap-1">{each.flatMap(({ keys }) => keys).map((keys) => <kbd key={keys} className="rounded border border-line-strong bg-sunk px-1.5 font-mono text-[11px]">{keysShown(keys)}</kbd>)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
