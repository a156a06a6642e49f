import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { call } from '../api/client';
import { useWords, worded } from '../i18n';
import { JsonView } from '../kit/JsonView';
import { Failed, Loading, Table } from '../kit/Page';
import { classes } from '../kit/classes';
import { Status } from '../kit/Status';
import { absolute, duration } from '../kit/time';

interface Props {
  executionId: string;
  seq: number;
}
const BARS: Record<string, string> = { success: 'bg-good', error: 'bg-bad', failed: 'bg-bad', timeout: 'bg-bad', running: 'bg-info', waiting: 'bg-warn' };

/** When each node ran and for how long, as bars. */
export function Timeline({ executionId, seq }: Props) {
  const { say } = useWords();
  const found = useQuery({ queryKey: ['timeline', executionId, seq], placeholderData: keepPreviousData, queryFn: () => call('GET /executions/{execution_id}', { path: { execution_id: executionId } }) });
  if (found.isError) return <div className="p-6"><Failed title={say('app.failed')} error={found.error} /></div>;
  if (!found.data) return <Loading label={say('app.loading')} />;
  const runs = found.data.nodes.filter((each) => each.started_at || each.scheduled_at).map((each) => ({ ...each, from: Date.parse((each.started_at ?? each.scheduled_at)!) })).sort((one, two) => one.from - two.from);
  if (!runs.length) return <p className="p-6 text-[13px] text-faint">{say('execution.noNodes')}</p>;
  const began = Date.parse(found.data.started_at);
  const ended = Math.max(began + 1, found.data.closed_at ? Date.parse(found.data.closed_at) : Date.now());
  const share = (at: number) => Math.min(100, Math.max(0, ((at - began) / (ended - began)) * 100));
  return (
    <ol className="flex flex-col gap-1 p-6" aria-label={say('execution.timeline')}>
      {runs.map((each) => {
        const left = share(each.from);
        const width = Math.max(0.6, share(each.ended_at ? Date.parse(each.ended_at) : ended) - left);
        return (
          <li key={each.key} className="grid grid-cols-[13rem_1fr_9rem] items-center gap-4 rounded-lg px-2 py-1 text-[13px] hover:bg-sunk">
            <span className="truncate font-medium" title={each.key}>{each.label || each.key}{each.attempt > 1 && <span className="ml-1.5 text-xs text-faint">{say('execution.attempt', { n: each.attempt })}</span>}</span>
            <span className="relative h-4 rounded bg-sunk"><span className={classes('absolute inset-y-0 rounded', BARS[each.status] ?? 'bg-line-strong')} style={{ left: `${Math.min(left, 99.4)}%`, width: `${width}%` }} /></span>
            <span className="flex items-center justify-between gap-2"><span className="text-xs text-faint">{duration(each.duration_ms)}</span><Status small status={each.status} label={worded(say, `status.${each.status}`, each.status)} /></span>
          </li>
        );
      })}
    </ol>
  );
}

/** The history, event by event. */
export function Events({ executionId, seq }: Props) {
  const { say, language } = useWords();
  const found = useQuery({ queryKey: ['events', executionId, seq], placeholderData: keepPreviousData, queryFn: () => call('GET /executions/{execution_id}/events', { path: { execution_id: executionId }, query: { limit: 100 } }) });
  if (found.isError) return <div className="p-6"><Failed title={say('app.failed')} error={found.error} /></div>;
  if (!found.data) return <Loading label={say('app.loading')} />;
  return (
    <div className="p-6">
      <Table label={say('execution.events')} head={['#', say('execution.type'), say('execution.at'), say('execution.data')]}>
        {found.data.data.map((each) => (
          <tr key={each.number} className="align-top">
            <td className="px-4 py-2 text-faint">{each.number}</td>
            <td className="px-4 py-2 font-medium">{each.type}</td>
            <td className="px-4 py-2 whitespace-nowrap text-soft">{absolute(each.at, language)}</td>
            <td className="px-4 py-2"><details><summary className="max-w-md truncate font-mono text-xs text-soft">{JSON.stringify(each.data).slice(0, 90)}</summary><JsonView label={`${each.number}`} value={each.data} /></details></td>
          </tr>
        ))}
      </Table>
    </div>
  );
}

const LEVELS: Record<string, string> = { error: 'text-bad', warning: 'text-warn', warn: 'text-warn' };
/** What the nodes logged. */
export function Logs({ executionId, seq }: Props) {
  const { say, language } = useWords();
  const found = useQuery({ queryKey: ['logs', executionId, seq], placeholderData: keepPreviousData, queryFn: () => call('GET /executions/{execution_id}/logs', { path: { execution_id: executionId } }) });
  if (found.isError) return <div className="p-6"><Failed title={say('app.failed')} error={found.error} /></div>;
  if (!found.data) return <Loading label={say('app.loading')} />;
  if (!found.data.data.length) return <p className="p-6 text-[13px] text-faint">{say('execution.noLogs')}</p>;
  return (
    <ol className="m-6 rounded-xl border border-line bg-surface p-4 font-mono text-xs leading-6">
      {found.data.data.map((each, index) => (
        <li key={index} className="flex gap-3"><span className="whitespace-nowrap text-faint">{absolute(each.at, language)}</span><span className={classes('w-14', LEVELS[each.level] ?? 'text-soft')}>{each.level}</span><span className="text-soft">{each.key}</span><span className="min-w-0 break-words">{each.message}</span></li>
      ))}
    </ol>
  );
}
