import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Activity, Search } from 'lucide-react';
import { useEffect, useMemo } from 'react';
import { call } from '../api/client';
import { follow } from '../api/live';
import { executionList, queries, workflowList, type ExecutionFilter } from '../api/queries';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Choice, Input } from '../kit/Field';
import { Empty, Page } from '../kit/Page';
import { joined, type Pages } from './executionRows';
import { ExecutionTable } from './ExecutionTable';
import { Listing } from './Listing';

const STATUSES = ['running', 'waiting', 'queued', 'completed', 'failed', 'cancelled', 'timed_out'];
const DAY_S = 86_400;

/** The first instant of a day such as 2026-11-21, here, in seconds since 1970. */
function startOf(day: string | undefined): number | undefined {
  const found = day ? new Date(`${day}T00:00`).getTime() / 1000 : NaN;
  return Number.isFinite(found) ? found : undefined;
}

/** Every run, filtered by what the address says; new ones come by themselves. */
export function Executions() {
  const { say } = useWords();
  const navigate = useNavigate({ from: '/executions' });
  const { status, workflow, q, from, to } = useSearch({ from: '/inside/executions' });
  const filter = useMemo<ExecutionFilter>(() => {
    const end = startOf(to);
    return { status: status ? [status] : undefined, workflow_id: workflow, q, started_from: startOf(from), started_to: end === undefined ? undefined : end + DAY_S };
  }, [status, workflow, q, from, to]);
  const options = executionList(filter);
  const list = useInfiniteQuery(options);
  const workflows = useInfiniteQuery(workflowList(''));
  const names = useMemo(() => new Map(workflows.data?.pages.flatMap((page) => page.data).map((each) => [each.id, each.name])), [workflows.data]);
  useEffect(() => {
    let isAsking = false;
    let isStale = false;
    // Only the first page is asked for again: what came is put before the rest, which stays where it is.
    const look = async () => {
      isStale = isAsking;
      if (isAsking) return;
      isAsking = true;
      try {
        const first = await call('GET /executions', { query: { ...filter, limit: 100 } });
        queries.setQueryData<Pages>(executionList(filter).queryKey, (old) => (old ? joined(old, first) : old));
      } finally {
        isAsking = false;
      }
      if (isStale) await look();
    };
    return follow('executions', { take: () => { void look().catch(() => undefined); return true; }, poll: look });
  }, [filter]);
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  const change = (next: { status?: string; workflow?: string; q?: string; from?: string; to?: string }) => void navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  const isFiltered = !!(status || workflow || q || from || to);
  return (
    <Page title={say('executions.title')} about={say('executions.about')}>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <label className="relative"><span className="sr-only">{say('app.search')}</span><Search size={14} className="absolute top-2.5 left-2.5 text-faint" aria-hidden />
          <Input className="!w-52 pl-8" type="search" placeholder={say('app.search')} defaultValue={q} onChange={(event) => change({ q: event.target.value || undefined })} /></label>
        <Choice aria-label={say('executions.status')} className="!w-40" value={status ?? ''} onChange={(event) => change({ status: event.target.value || undefined })}>
          <option value="">{say('executions.any')}</option>
          {STATUSES.map((each) => <option key={each} value={each}>{worded(say, `status.${each}`, each)}</option>)}
        </Choice>
        <Choice aria-label={say('executions.workflow')} className="!w-56" value={workflow ?? ''} onChange={(event) => change({ workflow: event.target.value || undefined })}>
          <option value="">{say('executions.anyWorkflow')}</option>
          {[...names].map(([id, name]) => <option key={id} value={id}>{name}</option>)}
        </Choice>
        <Input type="date" aria-label={say('runs.from')} title={say('runs.from')} className="!w-36" value={from ?? ''} onChange={(event) => change({ from: event.target.value || undefined })} />
        <Input type="date" aria-label={say('runs.to')} title={say('runs.to')} className="!w-36" value={to ?? ''} onChange={(event) => change({ to: event.target.value || undefined })} />
        {isFiltered && <Button look="quiet" onClick={() => void navigate({ search: {}, replace: true })}>{say('executions.clear')}</Button>}
      </div>
      <Listing found={list}>
        {() => rows.length === 0
          ? <Empty icon={<Activity size={20} />} title={say(isFiltered ? 'executions.noneFound' : 'executions.empty')} about={say(isFiltered ? 'executions.noneFoundAbout' : 'executions.emptyAbout')}>
              {isFiltered ? <Button onClick={() => void navigate({ search: {}, replace: true })}>{say('executions.clear')}</Button> : <Button onClick={() => void navigate({ to: '/workflows' })}>{say('nav.workflows')}</Button>}
            </Empty>
          : <ExecutionTable rows={rows} names={names} hasMore={!!list.hasNextPage} isFetching={list.isFetchingNextPage} more={() => void list.fetchNextPage()} />}
      </Listing>
    </Page>
  );
}
