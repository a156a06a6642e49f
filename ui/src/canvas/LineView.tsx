import { BaseEdge, EdgeLabelRenderer, getBezierPath, type Edge, type EdgeProps } from '@xyflow/react';
import { Plus } from 'lucide-react';
import { createContext, memo, useContext } from 'react';
import type { Line } from '../graph/spec';
import { useWords } from '../i18n';
import { useRuns } from './runs';

/** Puts a step between the ends of a line; null where nothing may be edited. */
export const InsertHere = createContext<((edgeId: string) => void) | null>(null);

/** A line; green once data went along it, with a sign to insert a step when it is chosen. */
export const LineView = memo(function LineView(props: EdgeProps<Edge<Line['data'], 'line'>>) {
  const { say } = useWords();
  const insert = useContext(InsertHere);
  const [path, x, y] = getBezierPath(props);
  const isPassed = useRuns((state) => {
    const from = state.seen.byNode[props.source]?.status;
    const to = state.seen.byNode[props.target]?.status;
    return from === 'success' && !!to && to !== 'skipped' && to !== 'pending';
  });
  return (
    <>
      <BaseEdge id={props.id} path={path} markerEnd={props.markerEnd} style={isPassed ? { stroke: 'var(--good)', strokeWidth: 2 } : undefined} />
      {props.selected && insert && (
        <EdgeLabelRenderer>
          <button type="button" aria-label={say('edit.insert')} title={say('edit.insert')} onClick={() => insert(props.id)}
            className="nodrag nopan absolute grid size-6 place-items-center rounded-full border border-accent bg-surface text-accent-text shadow-[var(--shadow)] hover:bg-accent hover:text-accent-ink"
            style={{ pointerEvents: 'all', transform: `translate(-50%,-50%) translate(${x}px,${y}px)` }}>
            <Plus size={14} aria-hidden />
          </button>
        </EdgeLabelRenderer>
      )}
    </>
  );
});
