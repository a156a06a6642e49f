import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { executed } from '../api/data';
import { nodeTypes, workflow } from '../api/queries';
import type { Execution as Found } from '../api/schema.gen';
import { Canvas } from '../canvas/Canvas';
import { ErrorCard } from '../canvas/ErrorCard';
import { Explain } from '../canvas/Explain';
import { useMarks } from '../canvas/marks';
import { Output } from '../canvas/Output';
import { useRuns } from '../canvas/runs';
import { setNodeTypes, shapeOf } from '../canvas/shapes';
import { diff, type Diff } from '../graph/diff';
import { shown, type Drawn } from '../graph/shown';
import { toDoc, type Doc, type Line, type Spec, type SpecNode } from '../graph/spec';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Failed, Loading } from '../kit/Page';
import { Status } from '../kit/Status';

const NAMES = 4;
const bare = (node: SpecNode): SpecNode => ({ ...node, pinned: undefined });
const unpinned = (spec: Spec): Spec => JSON.parse(JSON.stringify({ ...spec, trigger: bare(spec.trigger), nodes: spec.nodes?.map(bare) })) as Spec;

/** The graph that ran, whatever the workflow is today; and what has changed since. */
export function Graph({ found }: { found: Found }) {
  const { say } = useWords();
  const navigate = useNavigate({ from: '/executions/$executionId' });
  const { node: openId } = useSearch({ from: '/inside/executions/$executionId' });
  const types = useQuery(nodeTypes);
  const ran = useQuery(executed(found.id));
  const today = useQuery({ ...workflow(found.workflow_id), retry: false });
  const [isReady, setReady] = useState(false);
  const [showsChanges, setShowsChanges] = useState(false);
  useEffect(() => {
    if (types.data) {
      setNodeTypes(types.data);
      setReady(true);
    }
  }, [types.data]);
  const spec = ran.data?.spec as Spec | undefined;
  const changes = useMemo(() => (spec && today.data ? diff(spec, unpinned(today.data.spec as unknown as Spec)) : null), [spec, today.data]);
  const drawn = showsChanges && changes ? changes.union : spec;
  const doc = useMemo(() => (drawn && isReady ? opened(toDoc(drawn, shapeOf)) : null), [drawn, isReady]);
  useEffect(() => {
    useMarks.setState({ changed: showsChanges && changes ? Object.fromEntries(changes.steps.map((each) => [each.id, each.change])) : {} });
    return () => useMarks.setState({ changed: {} });
  }, [showsChanges, changes]);
  const run = useRuns((state) => (openId ? state.seen.byNode[openId] : undefined));
  const seq = useRuns((state) => state.seen.seq);
  const config = useMemo(() => [spec?.trigger, ...(spec?.nodes ?? [])].find((each) => each?.id === openId)?.config, [spec, openId]);
  const show = (node: string | undefined) => void navigate({ search: (before) => ({ ...before, node }), replace: true });
  if (ran.isError) return <div className="p-6"><Failed title={say('app.failed')} error={ran.error} /></div>;
  if (!doc) return <Loading label={say('app.loading')} />;
  return (
    <div className="flex h-full">
      <div className="relative min-w-0 flex-1">
        <Canvas label={say('execution.graph')} isBeside nodes={doc.nodes} edges={doc.edges} nodesDraggable={false} nodesConnectable={false} edgesFocusable={false} onNodeClick={((_: unknown, node: { id: string; type?: string }) => node.type === 'card' && show(node.id)) as never} onPaneClick={() => show(undefined)} />
        <Banner version={found.workflow_version} changes={changes} showsChanges={showsChanges} onChanges={() => setShowsChanges(!showsChanges)} />
        <Explain executionId={found.id} onNode={show} />
      </div>
      {openId && (
        <aside aria-label={say('execution.node')} className="w-[30rem] max-w-[50%] shrink-0 max-md:absolute max-md:inset-0 max-md:z-20 max-md:w-auto max-md:max-w-none overflow-y-auto border-l border-line bg-surface p-4">
          <div className="mb-3 flex items-start justify-between gap-2"><h2 className="min-w-0 break-words">{run?.label || openId}</h2><Button look="quiet" className="!size-6" aria-label={say('app.close')} icon={<X size={14} aria-hidden />} onClick={() => show(undefined)} /></div>
          {!run && <p className="text-[13px] text-faint">{say('execution.noNodes')}</p>}
          {run && <div className="flex flex-col gap-3"><div><Status status={run.status} label={worded(say, `status.${run.status}`, run.status)} /></div>{run.error && <ErrorCard run={run} executionId={found.id} config={config} />}{run.out && <Output key={run.out} executionId={found.id} nodeKey={run.out} seq={seq} />}</div>}
        </aside>
      )}
    </div>
  );
}

/** What is drawn, with notes and every group open: nothing that ran is hidden. */
function opened(doc: Doc): { nodes: Drawn[]; edges: Line[] } {
  return shown({ ...doc, groups: doc.groups.map((each) => ({ ...each, isCollapsed: false })) }, new Map(doc.nodes.map((each, index) => [each.id, index])));
}

/** Says which graph is shown, and what has changed since. */
function Banner({ version, changes, showsChanges, onChanges }: { version: number; changes: Diff | null; showsChanges: boolean; onChanges: () => void }) {
  const { say } = useWords();
  const names = changes ? [...changes.steps.map((each) => each.label), ...(!changes.steps.length && Object.keys(changes.edges).length ? [say('ran.edges')] : [])] : [];
  const shown = names.slice(0, NAMES).join(', ') + (names.length > NAMES ? ', …' : '');
  return (
    <div role="status" className="absolute top-3 left-3 flex max-w-[calc(100%-24rem)] max-md:top-auto max-md:right-3 max-md:bottom-5 max-md:left-14 max-md:max-w-none items-center gap-2 rounded-xl border border-line bg-surface px-3 py-1 text-xs text-soft" data-testid="ran">
      <span>{version ? say('execution.ofVersion', { version }) : say('ran.draft')} {changes && (names.length ? say('ran.changed', { names: shown }) : say('ran.same'))}</span>
      {names.length > 0 && <Button look="quiet" className="!px-1.5 !text-xs" aria-pressed={showsChanges} onClick={onChanges}>{say(showsChanges ? 'ran.hide' : 'ran.show')}</Button>}
    </div>
  );
}
