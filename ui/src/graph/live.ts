/** The state of one execution, folded from live frames; a frame that does not fit says so. */

export interface NodeRun {
  node_id: string;
  type: string;
  label: string;
  status: string;
  attempt: number;
  started_at?: string | null;
  ms?: number | null;
  retry_at?: string | null;
  waits_for?: string;
  deadline_at?: string | null;
  error?: { code: string; type: string; message: string };
  out?: string | null;
  /** The ways it went. */
  handles?: string[];
  /** How many items it handed on; null where they were not counted. */
  items?: number | null;
}

export type Change = [number, 'node', string, NodeRun] | [number, 'exec', null, { status: string }];
export type Frame =
  | { t: 'snapshot'; topic: string; seq: number; data: { status: string; version: number; nodes: Record<string, NodeRun> } }
  | { t: 'batch'; topic: string; from: number; to: number; ev: Change[] }
  | { t: 'end'; topic: string; reason: string };

export interface Seen {
  seq: number;
  status: string;
  /** The last run of each node, by node id: in a loop there are many, and a canvas shows one. */
  byNode: Record<string, NodeRun>;
}

export const NOTHING: Seen = { seq: 0, status: '', byNode: {} };
export const OVER = new Set(['completed', 'failed', 'cancelled', 'timed_out']);

/** Fold a frame in. `gap` means frames are missing: ask for a snapshot. */
export function fold(seen: Seen, frame: Frame): Seen | 'gap' {
  if (frame.t === 'end') return seen.status === frame.reason ? seen : { ...seen, status: frame.reason };
  if (frame.t === 'snapshot') {
    const byNode: Record<string, NodeRun> = {};
    for (const run of Object.values(frame.data.nodes)) byNode[run.node_id] = later(byNode[run.node_id], run);
    return { seq: frame.seq, status: frame.data.status, byNode };
  }
  if (frame.to <= seen.seq) return seen;
  if (frame.from > seen.seq + 1) return 'gap';
  const byNode = { ...seen.byNode };
  let status = seen.status;
  for (const [seq, kind, , now] of frame.ev) {
    if (seq <= seen.seq) continue;
    if (kind === 'exec') status = now.status;
    else byNode[now.node_id] = now;
  }
  return { seq: frame.to, status, byNode };
}

/** Of two runs of a node, the one that began later; one that began beats one that did not. */
function later(one: NodeRun | undefined, two: NodeRun): NodeRun {
  if (!one) return two;
  return (two.started_at ?? '') >= (one.started_at ?? '') ? two : one;
}
