import { useInfiniteQuery, useMutation, useQueries } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Copy, Plus, Search, Trash2, Workflow as Sign, X } from 'lucide-react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import { latestRuns, queries, workflowList } from '../api/queries';
import type { ExecutionLine, WorkflowLine } from '../api/schema.gen';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Input } from '../kit/Field';
import { Empty, Failed, Loading, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { ImportWorkflows } from './ImportWorkflows';
import { NewWorkflow } from './NewWorkflow';

/** Every workflow of the workspace. */
export function Workflows() {
  const { say } = useWords();
  const navigate = useNavigate();
  const { q = '', tag, new: fresh } = useSearch({ from: '/inside/workflows' });
  const list = useInfiniteQuery(workflowList(q, tag));
  const rows = list.data?.pages.flatMap((page) => page.data) ?? [];
  const runs = useQueries({
    queries: (list.data?.pages ?? []).map((page) => latestRuns(page.data.map((each) => each.id))),
    combine: (found) => new Map(found.flatMap((each) => [...(each.data ?? [])])),
  });
  const may = useMay();
  const openNew = () => void navigate({ to: '/workflows', search: { q: q || undefined, tag, new: '1' } });
  return (
    <Page
      title={say('workflows.title')}
      about={say('workflows.about')}
      actions={
        <>
          <label className="relative">
            <span className="sr-only">{say('app.search')}</span>
            <Search size={14} className="absolute top-2.5 left-2.5 text-faint" aria-hidden />
            <Input className="!w-56 pl-8" type="search" placeholder={say('app.search')} defaultValue={q}
              onChange={(event) => void navigate({ to: '/workflows', search: { q: event.target.value || undefined, tag }, replace: true })} />
          </label>
          {tag && <Button icon={<X size={14} aria-hidden />} aria-label={`${say('executions.clear')}: ${tag}`} onClick={() => void navigate({ to: '/workflows', search: { q: q || undefined } })}>{tag}</Button>}
          {may('workflow.import') && <ImportWorkflows />}
          {may('workflow.create') && <Button look="main" icon={<Plus size={15} aria-hidden />} onClick={openNew}>{say('workflows.new')}</Button>}
        </>
      }
    >
      {list.isPending && <Loading label={say('app.loading')} />}
      {list.isError && <Failed title={say('app.failed')} error={list.error} again={() => void list.refetch()} againLabel={say('app.again')} />}
      {list.isSuccess && rows.length === 0 && (q || tag ? (
        <Empty icon={<Search size={20} />} title={say('workflows.noneFound')} about={say('workflows.noneFoundAbout')} />
      ) : (
        <Empty icon={<Sign size={20} />} title={say('workflows.empty')} about={say('workflows.emptyAbout')}>
          {may('workflow.create') && <Button look="main" icon={<Plus size={15} aria-hidden />} onClick={openNew}>{say('workflows.new')}</Button>}
          <Button onClick={() => void navigate({ to: '/templates' })}>{say('workflows.template')}</Button>
        </Empty>
      ))}
      {rows.length > 0 && (
        <Table label={say('workflows.title')} head={[say('workflows.name'), say('workflows.state'), say('workflows.runs'), say('workflows.version'), say('workflows.updated'), say('workflows.actions')]}>
          {rows.map((each) => <Row key={each.id} row={each} runs={runs.get(each.id)} onTag={(name) => void navigate({ to: '/workflows', search: { q: q || undefined, tag: name } })} />)}
        </Table>
      )}
      {list.hasNextPage && <div className="mt-4 text-center"><Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{say('app.more')}</Button></div>}
      <NewWorkflow isOpen={!!fresh} onClose={() => void navigate({ to: '/workflows', search: { q: q || undefined, tag } })} />
    </Page>
  );
}

function Row({ row, runs, onTag }: { row: WorkflowLine; runs: ExecutionLine[] | undefined; onTag: (tag: string) => void }) {
  const { say, language } = useWords();
  const again = () => queries.invalidateQueries({ queryKey: ['workflows'] });
  const may = useMay();
  const path = { workflow_id: row.id };
  const remove = useMutation({ mutationFn: () => call('DELETE /workflows/{workflow_id}', { path }), onSuccess: () => { toast.success(say('workflows.deleted')); void again(); }, onError: (error) => toast.error(error.message) });
  const copy = useMutation({ mutationFn: () => call('POST /workflows/{workflow_id}/duplicate', { path }), onSuccess: () => { toast.success(say('workflows.duplicated')); void again(); }, onError: (error) => toast.error(error.message) });
  return (
    <tr className="hover:bg-sunk">
      <td className="max-w-md px-4 py-2.5">
        <Link to="/w/$workflowId/edit" params={{ workflowId: row.id }} className="font-medium text-ink hover:text-accent-text hover:underline">{row.name}</Link>
        {row.description && <p className="truncate text-xs text-faint">{row.description}</p>}
        {row.tags.length > 0 && <div className="mt-1 flex flex-wrap gap-1">{row.tags.map((tag) => <button key={tag} type="button" onClick={() => onTag(tag)} className="rounded-md bg-sunk px-1.5 text-[11px] text-soft hover:text-accent-text">{tag}</button>)}</div>}
      </td>
      <td className="px-4">
        <span className={`inline-flex items-center gap-1.5 text-xs font-medium ${row.is_active ? 'text-good' : 'text-faint'}`}>
          <span className={`size-2 rounded-full ${row.is_active ? 'bg-good' : 'bg-line-strong'}`} aria-hidden />
          {say(row.is_active ? 'workflows.active' : 'workflows.inactive')}
        </span>
      </td>
      <td className="px-4">{runs && <Strip runs={runs} />}</td>
      <td className="px-4 text-soft">{row.version ? `v${row.version}` : say('workflows.draft')}</td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(row.updated_at, language)}>{ago(row.updated_at, language)}</td>
      <td className="px-4 whitespace-nowrap">
        {may('workflow.create') && <Button look="quiet" aria-label={`${say('workflows.duplicate')}: ${row.name}`} title={say('workflows.duplicate')} icon={<Copy size={15} aria-hidden />} busy={copy.isPending} onClick={() => copy.mutate()} />}
        {may('workflow.delete') && <Button look="quiet" aria-label={`${say('app.delete')}: ${row.name}`} title={say('app.delete')} icon={<Trash2 size={15} aria-hidden />} busy={remove.isPending}
          onClick={() => window.confirm(say('workflows.deleteAsk', { name: row.name })) && remove.mutate()} />}
      </td>
    </tr>
  );
}

const FILLS: Record<string, string> = { completed: 'bg-good', failed: 'bg-bad', timed_out: 'bg-bad', running: 'bg-info', waiting: 'bg-warn' };

/** The last runs, oldest first, a mark each. */
function Strip({ runs }: { runs: ExecutionLine[] }) {
  const { say } = useWords();
  const last = [...runs].reverse();
  if (last.length === 0) return <span className="text-xs text-faint">{say('workflows.noRuns')}</span>;
  const count = (...statuses: string[]) => last.filter((each) => statuses.includes(each.status)).length;
  return (
    <span role="img" className="flex h-4 items-end gap-px" aria-label={say('workflows.runsOf', { n: last.length, good: count('completed'), bad: count('failed', 'timed_out') })}>
      {last.map((each) => <span key={each.id} title={worded(say, `status.${each.status}`, each.status)} className={`w-1 rounded-sm ${FILLS[each.status] ?? 'bg-line-strong'} ${each.status === 'completed' ? 'h-2.5' : 'h-4'}`} />)}
    </span>
  );
}
