import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Activity, Search } from 'lucide-react';
import { useEffect } from 'react';
import { follow } from '../api/live';
import { executionList, queries, workflowList } from '../api/queries';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Choice, Input } from '../kit/Field';
import { Empty, Failed, Loading, Page, Table } from '../kit/Page';
import { Status } from '../kit/Status';
import { absolute, ago, duration } from '../kit/time';

const STATUSES = ['running', 'waiting', 'queued', 'completed', 'failed', 'cancelled', 'timed_out'];

/** Every run, filtered by what the address says; new ones come by themselves. */
export function Executions() {
  const { say, language } = useWords();
  const navigate = useNavigate({ from: '/executions' });
  const { status, workflow, q } = useSearch({ from: '/inside/executions' });
  const list = useInfiniteQuery(executionList({ status: status ? [status] : undefined, workflow_id: workflow, q }));
  const workflows = useInfiniteQuery(workflowList(''));
  const names = new Map(workflows.data?.pages.flatMap((page) => page.data).map((each) => [each.id, each.name]));
  useEffect(() => follow('executions', {
    take: () => { void queries.invalidateQueries({ queryKey: ['executions'] }); return true; },
    poll: () => queries.invalidateQueries({ queryKey: ['executions'] }),
  }), []);
  const rows = list.data?.pages.flatMap((page) => page.data) ?? [];
  const filter = (change: { status?: string; workflow?: string; q?: string }) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  const isFiltered = !!(status || workflow || q);
  return (
    <Page title={say('executions.title')} about={say('executions.about')}>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <label className="relative"><span className="sr-only">{say('app.search')}</span><Search size={14} className="absolute top-2.5 left-2.5 text-faint" aria-hidden />
          <Input className="!w-52 pl-8" type="search" placeholder={say('app.search')} defaultValue={q} onChange={(event) => filter({ q: event.target.value || undefined })} /></label>
        <Choice aria-label={say('executions.status')} className="!w-40" value={status ?? ''} onChange={(event) => filter({ status: event.target.value || undefined })}>
          <option value="">{say('executions.any')}</option>
          {STATUSES.map((each) => <option key={each} value={each}>{worded(say, `status.${each}`, each)}</option>)}
        </Choice>
        <Choice aria-label={say('executions.workflow')} className="!w-56" value={workflow ?? ''} onChange={(event) => filter({ workflow: event.target.value || undefined })}>
          <option value="">{say('executions.anyWorkflow')}</option>
          {[...names].map(([id, name]) => <option key={id} value={id}>{name}</option>)}
        </Choice>
        {isFiltered && <Button look="quiet" onClick={() => void navigate({ search: {}, replace: true })}>{say('executions.clear')}</Button>}
      </div>
      {list.isPending && <Loading label={say('app.loading')} />}
      {list.isError && <Failed title={say('app.failed')} error={list.error} again={() => void list.refetch()} againLabel={say('app.again')} />}
      {list.isSuccess && rows.length === 0 && <Empty icon={<Activity size={20} />} title={say(isFiltered ? 'executions.noneFound' : 'executions.empty')} about={say(isFiltered ? 'executions.noneFoundAbout' : 'executions.emptyAbout')} />}
      {rows.length > 0 && (
        <Table label={say('executions.title')} head={[say('executions.status'), say('executions.workflow'), say('executions.started'), say('executions.duration'), say('executions.trigger')]}>
          {rows.map((each) => (
            <tr key={each.id} className="hover:bg-sunk">
              <td className="px-4 py-2.5"><Status status={each.status} label={worded(say, `status.${each.status}`, each.status)} /></td>
              <td className="max-w-sm px-4">
                <Link to="/executions/$executionId" params={{ executionId: each.id }} className="font-medium hover:text-accent-text hover:underline">{names.get(each.workflow_id) ?? each.workflow_id.slice(0, 13)}</Link>
                <p className="truncate text-xs text-faint">{each.error ? <span className="text-bad">{each.error.message}</span> : <code className="font-mono">{each.id.slice(0, 8)}</code>}</p>
              </td>
              <td className="px-4 whitespace-nowrap text-soft" title={absolute(each.started_at, language)}>{ago(each.started_at, language)}</td>
              <td className="px-4 whitespace-nowrap text-soft">{duration(each.duration_ms)}</td>
              <td className="px-4 text-soft">{each.trigger_kind}{each.mode === 'test' && <span className="ml-1.5 rounded-md bg-sunk px-1.5 text-[11px]">{say('executions.test')}</span>}</td>
            </tr>
          ))}
        </Table>
      )}
      {list.hasNextPage && <div className="mt-4 text-center"><Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{say('app.more')}</Button></div>}
    </Page>
  );
}
