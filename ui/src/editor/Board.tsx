import { useNavigate, useSearch } from '@tanstack/react-router';
import { Panel, useReactFlow, type Connection, type FinalConnectionState } from '@xyflow/react';
import { Plus } from 'lucide-react';
import { useCallback, useMemo, useRef, useState } from 'react';
import { toast } from 'sonner';
import { call, Problem } from '../api/client';
import type { Workflow } from '../api/schema.gen';
import { Canvas, FIT, fitBeside } from '../canvas/Canvas';
import { EditingContext, type Editing } from '../canvas/editing';
import { Explain } from '../canvas/Explain';
import { hoverLine, InsertHere } from '../canvas/LineView';
import { isOver, useRuns } from '../canvas/runs';
import { shapeOf } from '../canvas/shapes';
import { shown as drawnOf } from '../graph/shown';
import { whyNot } from '../graph/spec';
import { graphOrder } from '../graph/walk';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { actionOf, nameOf, type Context } from './actions';
import { Announcer } from './Announcer';
import { ConnectDialog } from './ConnectDialog';
import { COLOURS, patchGroup, patchNote, removeNote } from './frames';
import { InputDialog } from './InputDialog';
import { Inspector } from './Inspector';
import { Outline } from './Outline';
import { Palette } from './Palette';
import { useIsCovering } from './panel/useWidth';
import { Problems } from './Problems';
import { useProblems } from './problems';
import { save, useSaving } from './saving';
import { SettingsDialog } from './SettingsDialog';
import { Shortcuts } from './Shortcuts';
import { changeEdges, changeNodes, choose, connect, dragging, openPalette, useEditor } from './store';
import { Toolbar } from './Toolbar';
import { useKeys } from './useKeys';
import { announce } from './voice';

const CARD = { width: 224, height: 58 };
const calm = () => (window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 200);
const EDITING: Editing = {
  patchNote, removeNote, patchGroup, colours: COLOURS,
  whyNot: (source, handle, target) => {
    const why = whyNot(useEditor.getState(), source, target, handle, shapeOf);
    return why && `edit.${why}`;
  },
};

/** What to draw, in graph order, so that Tab goes the way that data goes. */
function useDrawn() {
  const nodes = useEditor((state) => state.nodes);
  const edges = useEditor((state) => state.edges);
  const notes = useEditor((state) => state.notes);
  const groups = useEditor((state) => state.groups);
  const count = nodes.length;
  // eslint-disable-next-line -- where cards stand changes the order only among branches: not worth a pass per picture
  const order = useMemo(() => new Map(graphOrder(useEditor.getState().nodes, edges).map((id, index) => [id, index])), [edges, count]);
  return useMemo(() => drawnOf({ nodes, edges, notes, groups }, order), [nodes, edges, notes, groups, order]);
}

/** The canvas with everything around it. */
export function Board({ workflow, onRun }: { workflow: Workflow; onRun: (executionId: string) => void }) {
  const { say } = useWords();
  const flow = useReactFlow();
  const navigate = useNavigate({ from: '/w/$workflowId/edit' });
  const { node: openId } = useSearch({ from: '/inside/w/$workflowId/edit' });
  const drawn = useDrawn();
  const shown = useEditor((state) => state.nodes.find((each) => each.id === openId));
  const count = useEditor((state) => state.nodes.length);
  const isCovered = useIsCovering() && !!shown;
  const [tab, setTab] = useState('parameters');
  const [connecting, setConnecting] = useState('');
  const [isAsking, setAsking] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [showsProblems, setShowsProblems] = useState(false);
  const [sheet, setSheet] = useState<'' | 'outline' | 'shortcuts' | 'settings'>('');
  const board = useRef<HTMLDivElement>(null);
  const open = useCallback((id: string | undefined) => void navigate({ search: (before) => ({ ...before, node: id }), replace: true }), [navigate]);
  const isOpen = useRef(false);
  isOpen.current = !!openId;

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

  const go = useCallback((id: string, withPanel = false) => {
    const { nodes, groups } = useEditor.getState();
    const node = nodes.find((each) => each.id === id);
    if (!node) {
      focusCard(board.current, id); // a note
      return;
    }
    const around = groups.find((each) => each.isCollapsed && each.nodes.includes(id));
    if (around) patchGroup(around.id, { isCollapsed: false });
    if (withPanel || isOpen.current) open(id);
    // The panel takes its place first: what is in view is known only then.
    requestAnimationFrame(() => {
      const { width = 0, height = 0 } = board.current?.getBoundingClientRect() ?? {};
      const { x, y, zoom } = flow.getViewport();
      const [left, top] = [node.position.x * zoom + x, node.position.y * zoom + y];
      const isSeen = left >= 0 && top >= 0 && left + CARD.width * zoom <= width && top + CARD.height * zoom <= height;
      if (!isSeen) void flow.setCenter(node.position.x + CARD.width / 2, node.position.y + CARD.height / 2, { zoom: Math.max(zoom, 0.6), duration: calm() });
      focusCard(board.current, id);
    });
  }, [flow, open]);
  const rename = useCallback((id: string) => {
    open(id);
    focusName(say('panel.label'));
  }, [open, say]);
  const middle = useCallback(() => {
    const box = board.current!.getBoundingClientRect();
    return flow.screenToFlowPosition({ x: box.x + box.width / 2, y: box.y + box.height / 2 });
  }, [flow]);
  const context = useMemo<Context>(() => ({
    say, announce, go, rename, middle, run: () => void run(), save: () => void save(), connectTo: setConnecting, show: setSheet, close: () => open(undefined),
    fit: () => requestAnimationFrame(() => void flow.fitView({ ...(useRuns.getState().executionId && !isOpen.current ? fitBeside() : FIT), duration: calm() })),
    zoom: (factor) => void flow.zoomTo(factor ? flow.getZoom() * factor : 1, { duration: calm() }),
  }), [flow, go, middle, open, rename, run, say]);
  useKeys(context);

  const added = useCallback((id: string) => {
    announce(say('voice.added', { name: nameOf(id) }));
    go(id, true);
  }, [go, say]);
  const isValid = useCallback((edge: Connection | { source: string; target: string; sourceHandle?: string | null }) =>
    whyNot(useEditor.getState(), edge.source, edge.target, edge.sourceHandle ?? 'out', shapeOf) === '', []);
  const onConnectEnd = (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
    if (state.isValid || !state.fromNode) return;
    const at = 'changedTouches' in event ? event.changedTouches[0]! : event;
    const isForward = state.fromHandle?.type === 'source';
    const handle = state.fromHandle?.id ?? 'out';
    // A line may end anywhere on a card, not only on its handle.
    const target = state.toNode?.id ?? document.elementFromPoint(at.clientX, at.clientY)?.closest('.react-flow__node-card')?.getAttribute('data-id');
    if (target && isForward) {
      const why = whyNot(useEditor.getState(), state.fromNode.id, target, handle, shapeOf);
      if (why) toast(say(`edit.${why}`));
      else connect(state.fromNode.id, handle, target);
    } else if (!target) {
      const position = flow.screenToFlowPosition({ x: at.clientX, y: at.clientY - 29 });
      openPalette(isForward ? { from: state.fromNode.id, handle, position } : { to: state.fromNode.id, position: { x: position.x - CARD.width, y: position.y } });
    }
  };
  const status = useRuns((state) => state.seen.status);
  const executionId = useRuns((state) => state.executionId);
  const insert = useCallback((edge: string) => openPalette({ edge }), []);
  const isRunning = !!executionId && !!status && !isOver(status) && status !== 'waiting';
  return (
    <div className="flex h-full flex-col">
      <Toolbar workflow={workflow} context={context} isBusy={isBusy || isRunning} onRunWith={() => setAsking(true)} onProblems={() => setShowsProblems(!showsProblems)} />
      <div className="relative flex min-h-0 flex-1">
        <div className="relative min-w-0 flex-1">
          <div className="absolute inset-0" ref={board} inert={isCovered}>
            <InsertHere value={insert}>
              <EditingContext value={EDITING}>
                <Canvas
                  nodes={drawn.nodes} edges={drawn.edges} label={say('edit.canvas')} isBeside={!!executionId && !openId}
                  onNodesChange={changeNodes as never} onEdgesChange={changeEdges as never}
                  onNodeDragStart={dragging.start} onNodeDragStop={dragging.stop} onSelectionDragStart={dragging.start} onSelectionDragStop={dragging.stop}
                  onConnect={(edge: Connection) => connect(edge.source, edge.sourceHandle ?? 'out', edge.target)} isValidConnection={isValid as never} onConnectEnd={onConnectEnd as never}
                  onNodeClick={((event: React.MouseEvent, node: { id: string; type?: string }) => node.type === 'card' && !event.shiftKey && !event.ctrlKey && !event.metaKey && open(node.id)) as never} onPaneClick={() => open(undefined)}
                  onEdgeMouseEnter={((_: unknown, edge: { id: string }) => hoverLine(edge.id)) as never} onEdgeMouseLeave={() => hoverLine('')}
                >
                  <Panel position="top-left"><Button className="shadow-[var(--shadow)]" icon={<Plus size={15} aria-hidden />} onClick={() => void actionOf('add').perform(context)}>{say('edit.add')}</Button></Panel>
                  {count === 1 && <Panel position="bottom-center"><p className="mb-6 rounded-full border border-line bg-surface px-4 py-1.5 text-[13px] text-soft shadow-[var(--shadow)]">{say('edit.emptyHint')}</p></Panel>}
                </Canvas>
              </EditingContext>
            </InsertHere>
            {executionId && <Explain executionId={executionId} onNode={(id) => { choose([id]); go(id, true); }} onClose={() => void navigate({ search: (before) => ({ ...before, exec: undefined }), replace: true })} />}
          </div>
          {showsProblems && <Problems onClose={() => setShowsProblems(false)} onSettings={() => setSheet('settings')} onNode={(id) => { choose([id]); go(id, true); }} />}
        </div>
        {shown && <Inspector key={shown.id} node={shown} tab={tab} onTab={setTab} onClose={() => { open(undefined); focusCard(board.current, shown.id); }} />}
      </div>
      <Announcer />
      <Palette context={context} onAdded={added} />
      {connecting && <ConnectDialog from={connecting} onClose={() => setConnecting('')} onDone={(to) => announce(say('voice.connected', { from: nameOf(connecting), to: nameOf(to) }))} />}
      {sheet === 'settings' && <SettingsDialog onClose={() => setSheet('')} />}
      {sheet === 'shortcuts' && <Shortcuts onClose={() => setSheet('')} />}
      {sheet === 'outline' && <Outline onClose={() => setSheet('')} onNode={(id) => { setSheet(''); choose([id]); go(id); }} />}
      <InputDialog isOpen={isAsking} onClose={() => setAsking(false)} onRun={(input) => { setAsking(false); void run(input); }} />
    </div>
  );
}

/** Put the focus on a card as soon as it can have it: one that is new or was out of view is drawn a moment later. */
function focusCard(board: HTMLElement | null, id: string, tries = 30): void {
  requestAnimationFrame(() => {
    const found = board?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
    found?.focus({ preventScroll: true });
    if (tries > 0 && (!found || document.activeElement !== found)) focusCard(board, id, tries - 1);
  });
}

/** Choose the name of the step in its panel, as soon as that is there. */
function focusName(label: string, tries = 30): void {
  requestAnimationFrame(() => {
    const found = document.querySelector<HTMLInputElement>(`input[aria-label="${CSS.escape(label)}"]`);
    found?.focus();
    found?.select();
    if (!found && tries > 0) focusName(label, tries - 1);
  });
}
