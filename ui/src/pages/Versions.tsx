import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { GitCompareArrows, History } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useElsewhere } from '../api/elsewhere';
import { nodeTypes, queries, version as versionOf, versionList, workflow as workflowOf } from '../api/queries';
import { Canvas } from '../canvas/Canvas';
import { useMarks } from '../canvas/marks';
import { hideRun } from '../canvas/runs';
import { setNodeTypes, shapeOf } from '../canvas/shapes';
import { diff, edgeKey, type Diff, type FieldChange } from '../graph/diff';
import { shown } from '../graph/shown';
import { toDoc, type Spec } from '../graph/spec';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Dialog } from '../kit/Dialog';
import { Choice, Field } from '../kit/Field';
import { Empty, Failed, Loading, Page } from '../kit/Page';
import { absolute, ago } from '../kit/time';

const DRAFT = 'draft';

/** The spec of a version, or of the draft. */
function useSpec(id: string, which: string): Spec | undefined {
  const draft = useQuery({ ...workflowOf(id), enabled: which === DRAFT });
  const version = useQuery({ ...versionOf(id, Number(which)), enabled: which !== '' && which !== DRAFT });
  return (which === DRAFT ? draft.data?.spec : version.data?.spec) as Spec | undefined;
}

/** The editions of a workflow: what changed between two of them, on the canvas and field by field. */
export function Versions() {
  const { say, language } = useWords();
  const { workflowId: id } = useParams({ from: '/inside/w/$workflowId/versions' });
  const search = useSearch({ from: '/inside/w/$workflowId/versions' });
  const navigate = useNavigate({ from: '/w/$workflowId/versions' });
  const workflow = useQuery(workflowOf(id));
  const list = useQuery(versionList(id));
  const types = useQuery(nodeTypes);
  const [asked, setAsked] = useState(0);
  const latest = workflow.data?.version ?? 0;
  const to = search.to ?? DRAFT;
  const from = search.from ?? (latest ? String(latest) : '');
  const [before, after] = [useSpec(id, from), useSpec(id, to)];
  const found = useMemo(() => before && after && diff(before, after), [before, after]);
  useEffect(() => {
    if (types.data) setNodeTypes(types.data);
  }, [types.data]);
  const show = (which: { from?: string; to?: string }) => void navigate({ search: (old) => ({ ...old, ...which }), replace: true });
  const renew = () => Promise.all([['workflow', id], ['versions', id], ['workflows']].map((queryKey) => queries.invalidateQueries({ queryKey })));
  const restore = useMutation({
    mutationFn: (number: number) => call('POST /workflows/{workflow_id}/versions/{number}/publish', { path: { workflow_id: id, number } }),
    onSuccess: async (now, number) => { setAsked(0); toast.success(say('versions.restored', { number, now: now.version })); await renew(); show({ from: String(number), to: String(now.version) }); },
    onError: (error) => toast.error(error.message),
  });
  const asDraft = useMutation({
    mutationFn: (number: number) => call('POST /workflows/{workflow_id}/versions/{number}/restore', { path: { workflow_id: id, number } }),
    onSuccess: async (_, number) => { setAsked(0); toast.success(say('versions.isDraft', { number })); await renew(); show({ from: String(number), to: DRAFT }); },
    onError: (error) => toast.error(error.message),
  });
  const failed = workflow.error ?? list.error ?? types.error;
  const others = useElsewhere(failed);
  if (failed) return <Page title={say('versions.title')}><Failed title={say('app.failed')} error={failed} others={others} othersLabel={say('workspaces.elsewhere')} againLabel={say('app.again')} again={() => { void workflow.refetch(); void list.refetch(); }} /></Page>;
  if (!workflow.data || !list.data || !types.data) return <Loading label={say('app.loading')} />;
  const name = (which: string) => (which === DRAFT ? say('versions.draft') : say('versions.version', { number: which }));
  const options = [...list.data.map((each) => String(each.version)), DRAFT];
  return (
    <Page title={say('versions.title')} about={say('versions.about', { name: workflow.data.name })} actions={<Link to="/w/$workflowId/edit" params={{ workflowId: id }} className="text-[13px] font-medium text-accent-text hover:underline">{say('versions.edit')}</Link>}>
      {list.data.length === 0 ? <Empty icon={<History size={20} />} title={say('versions.none')} about={say('versions.noneAbout')} /> : (
        <div className="grid gap-5 lg:grid-cols-[18rem_1fr]">
          <ol aria-label={say('versions.title')} className="flex max-h-[70vh] flex-col gap-2 overflow-y-auto">
            {list.data.map((each) => (
              <li key={each.version} className={classes('rounded-xl border bg-surface p-3', String(each.version) === from || String(each.version) === to ? 'border-accent' : 'border-line')}>
                <p className="flex items-center gap-2 text-[13px] font-semibold">{name(String(each.version))}{each.version === latest && <span className="rounded-full bg-good-soft px-2 text-[11px] font-medium text-good">{say('versions.current')}</span>}</p>
                {each.note && <p className="mt-0.5 text-[13px] break-words">{each.note}</p>}
                <p className="mt-0.5 text-xs text-faint" title={absolute(each.created_at, language)}>{ago(each.created_at, language)}</p>
                <div className="mt-2 flex flex-wrap gap-1.5">
                  <Button aria-label={`${say('versions.compare')}: ${name(String(each.version))}`} title={say('versions.compare')} icon={<GitCompareArrows size={14} aria-hidden />} onClick={() => show({ from: String(each.version), to: DRAFT })} />
                  <Button aria-label={`${say('versions.restore')}: ${name(String(each.version))}`} onClick={() => setAsked(each.version)}>{say('versions.restore')}</Button>
                </div>
              </li>
            ))}
          </ol>
          <div className="flex min-w-0 flex-col gap-4">
            <div className="grid max-w-md grid-cols-2 gap-3">
              {([['from', from], ['to', to]] as const).map(([which, value]) => (
                <Field key={which} label={say(`versions.${which}`)}>{(field) => <Choice id={field} value={value} onChange={(event) => show({ [which]: event.target.value })}>{options.map((each) => <option key={each} value={each}>{name(each)}</option>)}</Choice>}</Field>
              ))}
            </div>
            {found ? <Compared found={found} /> : <Loading label={say('app.loading')} />}
          </div>
        </div>
      )}
      <Dialog title={say('versions.restore')} about={say('versions.restoreAbout', { number: asked })} isOpen={asked > 0} onClose={() => setAsked(0)} closeLabel={say('app.close')}>
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={() => setAsked(0)}>{say('app.cancel')}</Button>
          <Button busy={asDraft.isPending} onClick={() => asDraft.mutate(asked)}>{say('versions.asDraft')}</Button>
          <Button look="main" busy={restore.isPending} onClick={() => restore.mutate(asked)}>{say('versions.restore')}</Button>
        </div>
      </Dialog>
    </Page>
  );
}

/** Both graphs in one, and below it every field that differs. */
function Compared({ found }: { found: Diff }) {
  const { say } = useWords();
  const drawn = useMemo(() => {
    const doc = toDoc(found.union, shapeOf);
    const edges = doc.edges.map((each) => ({ ...each, className: { added: 'edge-added', removed: 'edge-removed', '': '' }[found.edges[edgeKey(each)] ?? ''] }));
    const groups = doc.groups.map((each) => ({ ...each, isCollapsed: false }));
    return shown({ ...doc, edges, groups }, new Map());
  }, [found]);
  useEffect(() => {
    hideRun();
    useMarks.setState({ byNode: {}, changed: Object.fromEntries(found.steps.map((each) => [each.id, each.change])) });
    return () => useMarks.setState({ changed: {} });
  }, [found]);
  const kinds = Object.values(found.edges);
  const isSame = !found.steps.length && !found.rest.length && !kinds.length;
  return (
    <>
      <div className="h-[46vh] min-h-72 overflow-hidden rounded-xl border border-line bg-ground">
        <Canvas key={JSON.stringify(found.steps.map((each) => each.id))} nodes={drawn.nodes} edges={drawn.edges} label={say('versions.canvas')} nodesDraggable={false} nodesConnectable={false} elementsSelectable={false} />
      </div>
      <section aria-label={say('versions.changes')} className="rounded-xl border border-line bg-surface p-4">
        <h2 className="mb-2">{say('versions.changes')}</h2>
        {isSame && <p className="text-[13px] text-soft">{say('versions.same')}</p>}
        {kinds.length > 0 && <p className="mb-2 text-[13px] text-soft">{say('versions.edges', { added: kinds.filter((each) => each === 'added').length, removed: kinds.filter((each) => each === 'removed').length })}</p>}
        <ul className="flex flex-col gap-3">
          {found.steps.map((each) => (
            <li key={each.id} data-change={each.change}>
              <p className="text-[13px]"><span className={classes('mr-2 rounded-full px-2 py-0.5 text-[11px] font-semibold', { added: 'bg-good-soft text-good', removed: 'bg-bad-soft text-bad', changed: 'bg-warn-soft text-warn' }[each.change])}>{say(`versions.${each.change}`)}</span><span className="font-medium">{each.label}</span> <code className="font-mono text-xs text-faint">{each.id}</code></p>
              <Fields list={each.fields} />
            </li>
          ))}
          {found.rest.length > 0 && <li><p className="text-[13px] font-medium">{say('versions.rest')}</p><Fields list={found.rest} /></li>}
        </ul>
      </section>
    </>
  );
}

function Fields({ list }: { list: FieldChange[] }) {
  const { say } = useWords();
  const text = (value: unknown) => (value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value, null, 1));
  if (!list.length) return null;
  return (
    <table className="mt-1 w-full table-fixed text-left font-mono text-xs">
      <thead className="sr-only"><tr><th>{say('versions.changes')}</th><th>{say('versions.from')}</th><th>{say('versions.to')}</th></tr></thead>
      <tbody>
        {list.map((each) => (
          <tr key={each.path} className="border-t border-line align-top">
            <td className="w-1/4 py-1 pr-3 break-words text-soft">{each.path}</td>
            <td className="py-1 pr-3 break-words whitespace-pre-wrap text-bad"><del className="no-underline">{text(each.from)}</del></td>
            <td className="py-1 break-words whitespace-pre-wrap text-good"><ins className="no-underline">{text(each.to)}</ins></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
