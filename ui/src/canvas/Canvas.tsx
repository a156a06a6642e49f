import { Background, BackgroundVariant, Controls, MarkerType, ReactFlow, useNodesState, type FitViewOptions, type Node, type ReactFlowProps } from '@xyflow/react';
import { useEffect, useMemo, type ReactNode } from 'react';
import type { Drawn } from '../graph/shown';
import type { Line } from '../graph/spec';
import { useWords } from '../i18n';
import { CardView } from './Card';
import { FrameView } from './FrameView';
import { LineView } from './LineView';
import { NoteView } from './NoteView';
import { Overview } from './Overview';

const NODES = { card: CardView, note: NoteView, frame: FrameView };
const EDGES = { line: LineView };
export const FIT: FitViewOptions = { padding: 0.25, maxZoom: 1 };
/** Leaves room for Explain, which stands over the canvas: on the right, or on a phone above. */
export function fitBeside(): FitViewOptions {
  if (window.innerWidth < 560) return { padding: { x: '16px', top: '120px', bottom: '80px' }, maxZoom: 1 };
  const isTight = window.innerWidth < 1024;
  return { padding: { x: isTight ? '16px' : '60px', y: isTight ? '40px' : '90px', right: isTight ? '345px' : '370px' }, maxZoom: 1 };
}
const ENDS = { markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 } };
const PRO = { hideAttribution: false };

/** The graph: edited in the editor, looked at in an execution. Only what is in view is drawn. */
export function Canvas({ children, label, isBeside = false, ...rest }: Omit<ReactFlowProps<never, never>, 'nodes' | 'edges'> & { nodes: Drawn[]; edges: Line[]; label: string; isBeside?: boolean; children?: ReactNode }) {
  const { say } = useWords();
  // Where nobody edits, what the canvas measures is kept here: the map of it draws nothing that has no size.
  const isLookedAt = !rest.onNodesChange;
  const [measured, setMeasured, onMeasured] = useNodesState<Node>([]);
  const given = rest.nodes as unknown as Node[];
  useEffect(() => {
    if (isLookedAt) setMeasured((old) => given.map((each) => ({ ...each, measured: old.find((other) => other.id === each.id)?.measured })));
  }, [isLookedAt, given, setMeasured]);
  const words = useMemo(() => ({ 'controls.ariaLabel': say('edit.canvas'), 'controls.fitView.ariaLabel': say('edit.fit'), 'controls.zoomIn.ariaLabel': say('edit.zoomIn'), 'controls.zoomOut.ariaLabel': say('edit.zoomOut'), 'handle.ariaLabel': say('edit.handle') }), [say]);
  return (
    <ReactFlow
      {...(rest as object)} {...(isLookedAt ? { nodes: measured, onNodesChange: onMeasured } : {})}
      nodeTypes={NODES} edgeTypes={EDGES} defaultEdgeOptions={ENDS} proOptions={PRO} aria-label={label} ariaLabelConfig={words}
      fitView fitViewOptions={isBeside ? fitBeside() : FIT} minZoom={0.1} maxZoom={2} onlyRenderVisibleElements deleteKeyCode={null} disableKeyboardA11y edgesFocusable={false} selectionKeyCode="Shift" multiSelectionKeyCode={['Meta', 'Control', 'Shift']} zoomOnDoubleClick={false} panOnScroll
    >
      <Background variant={BackgroundVariant.Dots} gap={22} size={1.4} />
      <Controls showInteractive={false} position="bottom-left" />
      <Overview nodes={isLookedAt ? (measured as unknown as Drawn[]) : rest.nodes} />
      {children}
    </ReactFlow>
  );
}
