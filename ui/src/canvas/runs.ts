/** The run that a canvas shows over its cards; apart from the graph, so that a run never makes an edit. */
import { create } from 'zustand';
import { call } from '../api/client';
import { follow } from '../api/live';
import type { NodeRunLine } from '../api/schema.gen';
import { fold, NOTHING, OVER, type Frame, type NodeRun, type Seen } from '../graph/live';

interface Runs {
  executionId: string;
  seen: Seen;
}
export const useRuns = create<Runs>()(() => ({ executionId: '', seen: NOTHING }));
export const useNodeRun = (id: string): NodeRun | undefined => useRuns((state) => state.seen.byNode[id]);

let stop: (() => void) | null = null;
let waiting: Frame[] = [];
let frame = 0;

/** Take all frames that came since the last picture at once. */
function flush(): boolean {
  frame = 0;
  let { seen } = useRuns.getState();
  let fits = true;
  for (const each of waiting) {
    const next = fold(seen, each);
    if (next === 'gap') {
      fits = false;
      break;
    }
    seen = next;
  }
  waiting = [];
  useRuns.setState({ seen });
  return fits;
}

/** Follow an execution until another is shown; it goes on by itself after the network was away. */
export function showRun(executionId: string): void {
  if (useRuns.getState().executionId === executionId) return;
  hideRun();
  useRuns.setState({ executionId, seen: NOTHING });
  stop = follow(`execution:${executionId}`, {
    after: () => useRuns.getState().seen.seq,
    take: (found: Frame) => {
      const { seq } = useRuns.getState().seen;
      const last = waiting.reduce((at, each) => (each.t === 'batch' ? Math.max(at, each.to) : each.t === 'snapshot' ? each.seq : at), seq);
      if (found.t === 'batch' && found.from > last + 1) return false;
      waiting.push(found);
      if (document.hidden) return flush();
      frame ||= requestAnimationFrame(flush);
      return true;
    },
    poll: () => look(executionId),
  });
}

/** A run of a node as REST says it, as live updates do. */
export const liveOf = (each: NodeRunLine): NodeRun => ({
  node_id: each.node_id, type: each.type, label: each.label, status: each.status, attempt: each.attempt, started_at: each.started_at, ms: each.duration_ms, retry_at: each.retry_at,
  error: each.error ? { code: each.error.code, type: each.error.kind, message: each.error.message } : undefined,
  out: each.status === 'success' ? each.key : null,
});

/** Read an execution once, as where there is no socket. */
async function look(executionId: string): Promise<void> {
  const found = await call('GET /executions/{execution_id}', { path: { execution_id: executionId }, query: { nodes: 'last' } });
  const { executionId: shown, seen } = useRuns.getState();
  if (shown !== executionId || found.version <= seen.seq) return;
  const nodes: Record<string, NodeRun> = {};
  for (const each of found.nodes) nodes[each.key] = liveOf(each);
  useRuns.setState({ seen: fold(NOTHING, { t: 'snapshot', topic: '', seq: found.version, data: { status: found.status, version: found.version, nodes } }) as Seen });
}

export function hideRun(): void {
  stop?.();
  stop = null;
  waiting = [];
  cancelAnimationFrame(frame);
  frame = 0;
  useRuns.setState({ executionId: '', seen: NOTHING });
}

export const isOver = (status: string): boolean => OVER.has(status);
