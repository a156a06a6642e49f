import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ReactFlowProvider } from '@xyflow/react';
import { ArrowLeft, Bug, ChevronDown, RotateCcw } from 'lucide-react';
import { DropdownMenu, Tabs } from 'radix-ui';
import { useEffect } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useElsewhere } from '../api/elsewhere';
import { useLive } from '../api/live';
import { execution, queries, workflow } from '../api/queries';
import type { Execution as Found } from '../api/schema.gen';
import { hideRun, isOver, showRun, useRuns } from '../canvas/runs';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { JsonView } from '../kit/JsonView';
import { Failed, Loading, Page } from '../kit/Page';
import { Status } from '../kit/Status';
import { absolute, ago, duration } from '../kit/time';
import { Graph } from './ExecutionGraph';
import { Events, Logs, Timeline } from './ExecutionViews';

const TAB = 'border-b-2 border-transparent px-1 pb-2 text-[13px] font-medium text-soft hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink';

/** One execution: the graph that ran, when what ran, its events, its logs, its data. */
export function Execution() {
  const { say } = useWords();
  const { executionId } = useParams({ from: '/inside/executions/$executionId' });
  const found = useQuery(execution(executionId));
  const status = useRuns((state) => state.seen.status);
  const seq = useRuns((state) => state.seen.seq);
  useEffect(() => {
    showRun(executionId);
    return hideRun;
  }, [executionId]);
  useEffect(() => {
    if (isOver(status)) void queries.invalidateQueries({ queryKey: ['execution', executionId] });
  }, [status, executionId]);
  const others = useElsewhere(found.error);
  if (found.isError) return <Page title={say('execution.title')}><Failed title={say('app.failed')} error={found.error} others={others} othersLabel={say('workspaces.elsewhere')} again={() => void found.refetch()} againLabel={say('app.again')} /></Page>;
  if (!found.data) return <Loading label={say('app.loading')} />;
  return <Shown found={found.data} status={status || found.data.status} seq={seq} />;
}

function Shown({ found, status, seq }: { found: Found; status: string; seq: number }) {
  const { say, language } = useWords();
  const navigate = useNavigate({ from: '/executions/$executionId' });
  const { view = 'graph' } = useSearch({ from: '/inside/executions/$executionId' });
  const flow = useQuery({ ...workflow(found.workflow_id), retry: false });
  const live = useLive((each) => each.state);
  const path = { execution_id: found.id };
  const failed = (error: Error) => void toast.error(error.message);
  const cancel = useMutation({ mutationFn: () => call('POST /executions/{execution_id}/cancel', { path, body: {} }), onSuccess: () => toast(say('execution.cancelled')), onError: failed });
  const retry = useMutation({ mutationFn: (which: 'original' | 'current') => call('POST /executions/{execution_id}/retry', { path, body: { workflow: which } }), onSuccess: (made) => { toast.success(say('execution.retried')); void navigate({ to: '/executions/$executionId', params: { executionId: made.execution_id } }); }, onError: failed });
  return (
    <div className="flex h-full flex-col">
      <header className="border-b border-line bg-surface px-4 pt-4 sm:px-6">
        <div className="flex flex-wrap items-center gap-3">
          <Link to="/executions" aria-label={say('nav.executions')} className="rounded-lg p-1.5 text-soft hover:bg-sunk"><ArrowLeft size={17} aria-hidden /></Link>
          <h1>{flow.data?.name ?? say('execution.title')}</h1>
          <span data-testid="status"><Status status={status} label={worded(say, `status.${status}`, status)} /></span>
          {!isOver(status) && <span className="text-xs text-faint" role="status">{say(`live.${live}`)}</span>}
          <div className="flex-1" />
          {flow.data && <Link to="/w/$workflowId/edit" params={{ workflowId: found.workflow_id }} search={{ exec: found.id }} className="inline-flex items-center gap-1.5 text-[13px] font-medium text-accent-text hover:underline"><Bug size={14} aria-hidden />{say('ran.debug')}</Link>}
          {!isOver(status) && <Button look="danger" busy={cancel.isPending} onClick={() => cancel.mutate()}>{say('execution.cancel')}</Button>}
          {isOver(status) && <Retry isBusy={retry.isPending} onRetry={(which) => retry.mutate(which)} />}
        </div>
        <p className="mt-1 mb-3 text-xs break-words sm:ml-9 text-faint"><code className="font-mono">{found.id}</code> · <span title={absolute(found.started_at, language)}>{ago(found.started_at, language)}</span> · {duration(found.duration_ms)}</p>
        <Tabs.Root value={view} onValueChange={(next) => void navigate({ search: (before) => ({ ...before, view: next }), replace: true })}>
          <Tabs.List aria-label={say('execution.views')} className="flex gap-5 overflow-x-auto max-sm:gap-2.5">
            {(['graph', 'timeline', 'events', 'logs', 'data'] as const).map((each) => <Tabs.Trigger key={each} value={each} aria-controls={undefined} className={TAB}>{say(`execution.${each}`)}</Tabs.Trigger>)}
          </Tabs.List>
        </Tabs.Root>
      </header>
      <div className="relative min-h-0 flex-1 overflow-y-auto">
        {view === 'graph' && <ReactFlowProvider><Graph found={found} /></ReactFlowProvider>}
        {view === 'timeline' && <Timeline executionId={found.id} seq={seq} began={found.started_at} closed={found.closed_at} />}
        {view === 'events' && <Events executionId={found.id} seq={seq} />}
        {view === 'logs' && <Logs executionId={found.id} seq={seq} />}
        {view === 'data' && (
          <div className="grid gap-5 p-6 lg:grid-cols-2">
            <section><h2 className="mb-2">{say('execution.input')}</h2><JsonView label={say('execution.input')} value={found.input} /></section>
            <section><h2 className="mb-2">{say('execution.result')}</h2><JsonView label={say('execution.result')} value={found.error ?? found.result} /></section>
          </div>
        )}
      </div>
    </div>
  );
}

const ITEM = 'cursor-default rounded-md px-2.5 py-1.5 text-[13px] outline-none data-[highlighted]:bg-sunk';

/** Tries again from what failed: the version that ran, or the workflow of today. */
function Retry({ isBusy, onRetry }: { isBusy: boolean; onRetry: (which: 'original' | 'current') => void }) {
  const { say } = useWords();
  return (
    <div className="flex">
      <Button className="!rounded-r-none" icon={<RotateCcw size={14} aria-hidden />} busy={isBusy} onClick={() => onRetry('original')}>{say('execution.retry')}</Button>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger asChild><Button className="!rounded-l-none !border-l-0 !px-1.5" aria-label={say('ran.retryMore')} icon={<ChevronDown size={14} aria-hidden />} /></DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content align="end" sideOffset={4} className="z-50 min-w-44 rounded-lg border border-line bg-raised p-1 shadow-[var(--shadow-high)]">
            <DropdownMenu.Item className={ITEM} onSelect={() => onRetry('original')}>{say('ran.retryOriginal')}</DropdownMenu.Item>
            <DropdownMenu.Item className={ITEM} onSelect={() => onRetry('current')}>{say('ran.retryCurrent')}</DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
    </div>
  );
}
