import type { NodeRun } from '../graph/live';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { ago } from '../kit/time';

/** What went wrong in words: which step, what kind of failure, what to do. */
export function ErrorCard({ run, onFix }: { run: NodeRun; onFix?: () => void }) {
  const { say, language } = useWords();
  const { error } = run;
  if (!error) return null;
  const copy = () => navigator.clipboard.writeText(JSON.stringify({ ...error, node: run.node_id, node_type: run.type, attempt: run.attempt }, null, 2));
  return (
    <section role="alert" className="rounded-xl border border-bad/40 bg-bad-soft p-3.5 text-[13px]">
      <h3 className="font-semibold text-bad">{say('error.title', { node: run.label || run.node_id })}</h3>
      <p className="mt-1 break-words text-ink">{error.message}</p>
      <p className="mt-2 text-xs text-soft">{worded(say, `error.${error.type}`, error.type)}</p>
      <p className="mt-1 text-xs text-soft">{say('error.code')}: <code className="font-mono">{error.code}</code> · {say('execution.attempt', { n: run.attempt })}</p>
      {run.retry_at && <p className="mt-1 text-xs text-soft">{say('error.retryAt', { when: ago(run.retry_at, language) })}</p>}
      <div className="mt-3 flex gap-2">
        {onFix && <Button onClick={onFix}>{say('error.fix')}</Button>}
        <Button look="quiet" onClick={() => void copy()}>{say('app.copy')}</Button>
      </div>
    </section>
  );
}
