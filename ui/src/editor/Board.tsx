import { useNavigate, useSearch } from '@tanstack/react-router';
import { Panel, useReactFlow, type Connection, type FinalConnectionState } from '@xyflow/react';
import { Plus } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { toast } from 'sonner';
import { call, Problem } from '../api/client';
import type { Workflow } from '../api/schema.gen';
import { Canvas } from '../canvas/Canvas';
import { InsertHere } from '../canvas/LineView';
import { isOver, useRuns } from '../canvas/runs';
import { shapeOf } from '../canvas/shapes';
import { whyNot } from '../graph/spec';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Explain } from '../canvas/Explain';
import { ACTIONS, isTyping, type Context } from './actions';
import { ConnectDialog } from './ConnectDialog';
import { InputDialog } from './InputDialog';
import { Inspector } from './Inspector';
import { Palette } from './Palette';
import { Problems } from './Problems';
import { useProblems } from './problems';
import { save, useSaving } from './saving';
import { changeEdges, changeNodes, choose, connect, dragging, openPalette, useEditor } from './store';
import { Toolbar } from './Toolbar';

/** The canvas with everything around it. */
export function Board({ workflow, onRun }: { workflow: Workflow; onRun: (executionId: string) => void }) {
  const { say } = useWords();
  const flow = useReactFlow();
  const navigate = useNavigate({ from: '/w/$workflowId/edit' });
  const { node: openId } = useSearch({ from: '/inside/w/$workflowId/edit' });
  const nodes = useEditor((state) => state.nodes);
  const edges = useEditor((state) => state.edges);
  const [tab, setTab] = useState('parameters');
  const [connecting, setConnecting] = useState('');
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [showsProblems, setShowsProblems] = useState(false);
  const board = useRef<HTMLDivElement>(null);
  const open = useCallback((id: string | undefined) => void navigate({ search: (before) => ({ ...before, node: id }), replace: true }), [navigate]);

  const run = useCallback(async (input: unknown = null) => {
    setBusy(true);
    try {
      await save();
      if (useProblems.getState().list.some((each) => each.severity === 'error')) {
        setShowsProblems(true);
        toast.error(say('problems.blocked'));
        return;
      }
      const { state, problem } = useSaving.getState();
      if (state !== 'saved') {
        toast.error(problem || say('save.failed'));
        return;
      }
      const started = await call('POST /workflows/{workflow_id}/test-run', { path: { workflow_id: workflow.id }, body: { input } });
      onRun(started.execution_id);
    } catch (error) {
      if (error instanceof Problem && error.code === 'input.invalid') setAsking(true);
      toast.error(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  }, [onRun, say, workflow.id]);

  const context = useMemo<Context>(() => ({
    say, run: () => void run(), connectTo: setConnecting,
    fit: () => requestAnimationFrame(() => void flow.fitView({ padding: 0.25, maxZoom: 1, duration: 200 })),
  }), [flow, run, say]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const action = ACTIONS.find((each) => each.isKey(event));
      const works = action && (!isTyping(event.target) || action.name === 'run') && !document.querySelector('[role="dialog"]');
      if (!works || (action.name === 'copy' && window.getSelection()?.toString())) return;
      event.preventDefault();
      if (action.isEnabled()) void action.perform(context);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [context]);

  const focus = useCallback((id: string) => {
    open(id);
    requestAnimationFrame(() => {
      void flow.fitView({ nodes: [{ id }], maxZoom: 1, padding: 2, duration: 200 });
      board.current?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
    });
  }, [flow, open]);
  const isValid = useCallback((edge: Connection | { source: string; target: string; sourceHandle?: string | null }) =>
    whyNot(useEditor.getState(), edge.source, edge.target, edge.sourceHandle ?? 'out', shapeOf) === '', []);
  const onConnectEnd = (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
    if (state.isValid || !state.fromNode || state.fromHandle?.type !== 'source') return;
    if (state.toNode) {
      const why = whyNot(useEditor.getState(), state.fromNode.id, state.toNode.id, state.fromHandle.id ?? 'out', shapeOf);
      if (why) toast(say(`edit.${why}`));
      return;
    }
    const at = 'changedTouches' in event ? event.changedTouches[0]! : event;
    openPalette({ from: state.fromNode.id, handle: state.fromHandle.id ?? 'out', position: flow.screenToFlowPosition({ x: at.clientX, y: at.clientY - 29 }) });
  };
  const shown = nodes.find((each) => each.id === openId);
  const status = useRuns((state) => state.seen.status);
  const executionId = useRuns((state) => state.executionId);
  const insert = useCallback((edge: string) => openPalette({ edge }), []);
  return (
    <div className="flex h-full flex-col">
      <Toolbar workflow={workflow} context={context} isBusy={isBusy || (!!executionId && !!status && !isOver(status) && status !== 'waiting')} onRunWith={() => setAsking(true)} onProblems={() => setShowsProblems(!showsProblems)} />
      <div className="flex min-h-0 flex-1">
        <div className="relative min-w-0 flex-1" ref={board}>
          <InsertHere value={insert}>
            <Canvas
              nodes={nodes} edges={edges} label={say('edit.canvas')}
              onNodesChange={changeNodes as never} onEdgesChange={changeEdges as never}
              onNodeDragStart={dragging.start} onNodeDragStop={dragging.stop} onSelectionDragStart={dragging.start} onSelectionDragStop={dragging.stop}
              onConnect={(edge: Connection) => connect(edge.source, edge.sourceHandle ?? 'out', edge.target)} isValidConnection={isValid as never} onConnectEnd={onConnectEnd as never}
              onNodeClick={((_: unknown, node: { id: string }) => open(node.id)) as never} onPaneClick={() => open(undefined)}
              onKeyDown={(event: React.KeyboardEvent) => {
                const id = (event.target as HTMLElement).closest?.('.react-flow__node')?.getAttribute('data-id');
                if (id && event.key === 'Enter') { choose([id]); open(id); }
              }}
            >
              <Panel position="top-left"><Button className="shadow-[var(--shadow)]" icon={<Plus size={15} aria-hidden />} onClick={() => void ACTIONS[0]!.perform(context)}>{say('edit.add')}</Button></Panel>
              {nodes.length === 1 && <Panel position="bottom-center"><p className="mb-6 rounded-full border border-line bg-surface px-4 py-1.5 text-[13px] text-soft shadow-[var(--shadow)]">{say('edit.emptyHint')}</p></Panel>}
            </Canvas>
          </InsertHere>
          {executionId && <Explain executionId={executionId} onNode={focus} onClose={() => void navigate({ search: (before) => ({ ...before, exec: undefined }), replace: true })} />}
          {showsProblems && <Problems onClose={() => setShowsProblems(false)} onNode={(id) => { choose([id]); focus(id); }} />}
        </div>
        {shown && <Inspector key={shown.id} node={shown} tab={tab} onTab={setTab} onClose={() => { open(undefined); focusCard(board.current, shown.id); }} />}
      </div>
      <Palette context={context} onAdded={focus} />
      {connecting && <ConnectDialog from={connecting} onClose={() => setConnecting('')} />}
      <InputDialog isOpen={isAsking} onClose={() => setAsking(false)} onRun={(input) => { setAsking(false); void run(input); }} />
    </div>
  );
}

function focusCard(board: HTMLElement | null, id: string): void {
  requestAnimationFrame(() => board?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`)?.focus({ preventScroll: true }));
}
