import { useQuery } from '@tanstack/react-query';
import { toast } from 'sonner';
import { execution } from '../api/queries';
import { factsOf, fieldOf, itemOf } from '../graph/failure';
import type { NodeRun } from '../graph/live';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { ago } from '../kit/time';

interface Props {
  run: NodeRun;
  /** Where more is known about the error than what came live. */
  executionId?: string;
  config?: Record<string, unknown>;
  onFix?: (field?: string) => void;
}

/** What went wrong in words: which step, field and item, what kind of failure, what was asked and answered, what to do. */
export function ErrorCard({ run, executionId = '', config, onFix }: Props) {
  const { say, language } = useWords();
  const { error } = run;
  const found = useQuery({ ...execution(executionId), enabled: executionId !== '' && !!error });
  if (!error) return null;
  const whole = found.data?.nodes.findLast((each) => each.node_id === run.node_id && each.error?.code === error.code);
  const details = (whole?.error?.details ?? {}) as Record<string, unknown>;
  const field = fieldOf({ code: error.code, details }, config);
  const item = itemOf(whole?.key ?? '');
  const facts = factsOf(details);
  const copy = () => navigator.clipboard.writeText(JSON.stringify({ ...error, details, node: run.node_id, node_type: run.type, key: whole?.key, attempt: run.attempt, execution: executionId || undefined }, null, 2)).then(() => toast(say('error.copied')));
  return (
    <section role="alert" className="rounded-xl border border-bad/40 bg-bad-soft p-3.5 text-[13px]">
      <h3 className="font-semibold text-bad">{say('error.title', { node: run.label || run.node_id })}</h3>
      <p className="mt-1 break-words text-ink">{error.message}</p>
      <p className="mt-2 text-xs text-soft">{worded(say, `error.${error.type}`, error.type)}</p>
      <p className="mt-1 text-xs text-soft">
        {field && <>{say('error.field', { field })} · </>}
        {item > 0 && <>{say('error.item', { n: item })} · </>}
        {say('error.code')}: <code className="font-mono">{error.code}</code> · {say('execution.attempt', { n: run.attempt })}
      </p>
      {run.retry_at && <p className="mt-1 text-xs text-soft">{say('error.retryAt', { when: ago(run.retry_at, language) })}</p>}
      {facts.map(({ part, text }) => (
        <details key={part} className="mt-2 text-xs" open={part === 'response'}>
          <summary className="font-medium text-soft">{say(`error.${part}`)}</summary>
          <pre className="mt-1 max-h-40 overflow-auto rounded-md bg-surface p-2 font-mono break-words whitespace-pre-wrap" tabIndex={0}>{text}</pre>
        </details>
      ))}
      <div className="mt-3 flex gap-2">
        {onFix && <Button onClick={() => onFix(field || undefined)}>{say('error.fix')}</Button>}
        <Button look="quiet" onClick={() => void copy()}>{say('app.copy')}</Button>
      </div>
    </section>
  );
}
