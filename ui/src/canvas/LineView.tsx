import { BaseEdge, EdgeLabelRenderer, getBezierPath, type Edge, type EdgeProps } from '@xyflow/react';
import { Plus } from 'lucide-react';
import { createContext, memo, useContext } from 'react';
import { create } from 'zustand';
import type { Line } from '../graph/spec';
import { useWords } from '../i18n';
import { classes } from '../kit/classes';
import { useRuns } from './runs';

/** Puts a step between the ends of a line; null where nothing may be edited. */
export const InsertHere = createContext<((edgeId: string) => void) | null>(null);

/** The line under the pointer; a moment longer, so that its sign can be reached. */
const useHovered = create<{ id: string }>()(() => ({ id: '' }));
const LINGER_MS = 700;
const CLOSE = { x: 90, y: 20 };
let leaving = 0;
export function hoverLine(id: string): void {
  clearTimeout(leaving);
  if (id) useHovered.setState({ id });
  else leaving = window.setTimeout(() => useHovered.setState({ id: '' }), LINGER_MS);
}

/** A line; green once data went along it, with a sign to insert a step when it is chosen or pointed at. */
export const LineView = memo(function LineView(props: EdgeProps<Edge<Line['data'], 'line'>>) {
  const { say } = useWords();
  const insert = useContext(InsertHere);
  const isHovered = useHovered((state) => state.id === props.id);
  const isOffered = !!insert && (props.selected || isHovered);
  const [path, x, y] = getBezierPath(props);
  // The steps at its ends, though one of them may be drawn as part of its group.
  const ends = props.data?.spec ?? props;
  const handle = ends.source === props.source ? props.sourceHandleId : props.data?.spec.sourceHandle;
  // Between cards that are close together the count would hide the line: it stands above it.
  const isClose = Math.abs(props.targetX - props.sourceX) < CLOSE.x && Math.abs(props.targetY - props.sourceY) < CLOSE.y;
  // -1 where nothing went along it, else how many items did; 0 stands for not counted, too.
  const passed = useRuns(({ seen }) => {
    const from = seen.byNode[ends.source];
    const to = seen.byNode[ends.target]?.status;
    if (from?.status !== 'success' || !to || to === 'skipped' || to === 'pending') return -1;
    return from.handles?.length && from.type !== 'logic.loop' && handle && !from.handles.includes(handle) ? -1 : (from.items ?? 0);
  });
  const isPassed = passed >= 0;
  return (
    <>
      <BaseEdge id={props.id} path={path} markerEnd={props.markerEnd} style={isPassed ? { stroke: 'var(--good)', strokeWidth: 2 } : undefined} />
      {passed > 0 && !isOffered && (
        <EdgeLabelRenderer>
          <span data-testid={`count-${props.source}-${props.target}`} className={classes('pointer-events-none absolute rounded-full px-1 text-[10px] whitespace-nowrap text-soft', !isClose && 'bg-surface')} style={{ transform: `translate(-50%,${isClose ? '-115%' : '-50%'}) translate(${x}px,${y}px)` }}>{passed === 1 ? say('edge.item') : say('edge.items', { count: passed })}</span>
        </EdgeLabelRenderer>
      )}
      {isOffered && (
        <EdgeLabelRenderer>
          <button type="button" aria-label={say('edit.insert')} title={say('edit.insert')} onClick={() => insert(props.id)} onMouseEnter={() => hoverLine(props.id)} onMouseLeave={() => hoverLine('')}
            className="nodrag nopan absolute grid size-6 place-items-center rounded-full border border-accent bg-surface text-accent-text shadow-[var(--shadow)] hover:bg-accent hover:text-accent-ink"
            style={{ pointerEvents: 'all', transform: `translate(-50%,-50%) translate(${x}px,${y}px)` }}>
            <Plus size={14} aria-hidden />
          </button>
        </EdgeLabelRenderer>
      )}
    </>
  );
});
