/** Three-way merge of specs: by node, edge and field. */
import type { Spec, SpecGroup, SpecNode, SpecNote } from './spec';

export type Side = 'mine' | 'theirs';
/** Both changed the same thing, at a path such as `nodes.http.config.url`; undefined stands for taken out. */
export interface Conflict {
  path: string;
  base: unknown;
  mine: unknown;
  theirs: unknown;
}
export interface Merged {
  spec: Spec;
  /** Where both changed the same thing. Mine is kept there, unless theirs was chosen. */
  conflicts: Conflict[];
}
type Tree = Record<string, unknown>;

function same(one: unknown, two: unknown): boolean {
  if (one === two) return true;
  if (!isTree(one) || !isTree(two)) return Array.isArray(one) && Array.isArray(two) && one.length === two.length && one.every((each, index) => same(each, two[index]));
  const keys = new Set([...Object.keys(one), ...Object.keys(two)]);
  return [...keys].every((key) => same(one[key], two[key]));
}
function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

interface Turn {
  conflicts: Conflict[];
  choices: Record<string, Side>;
}
function mergeValue(base: unknown, mine: unknown, theirs: unknown, path: string, turn: Turn): unknown {
  if (same(mine, theirs) || same(base, theirs)) return mine;
  if (same(base, mine)) return theirs;
  if (isTree(mine) && isTree(theirs)) {
    const from = isTree(base) ? base : {};
    const found: Tree = {};
    for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
      const value = mergeValue(from[key], mine[key], theirs[key], path ? `${path}.${key}` : key, turn);
      if (value !== undefined) found[key] = value;
    }
    return found;
  }
  turn.conflicts.push({ path, base, mine, theirs });
  return turn.choices[path] === 'theirs' ? theirs : mine;
}

const keyed = (list: readonly { id?: string }[]): Tree => Object.fromEntries(list.map((each, index) => [each.id ?? String(index), each]));
const comparable = (spec: Spec): Tree => {
  const { trigger, nodes = [], edges = [], canvas = {}, ...rest } = spec;
  return { rest, trigger: trigger.id, nodes: keyed([trigger, ...nodes.filter((each) => each.id !== trigger.id)]), edges: keyed(edges), notes: keyed(canvas.notes ?? []), groups: keyed(canvas.groups ?? []) };
};

/** Merge what I and somebody else made of `base`. Edges of nodes that are gone go too. */
export function merge(base: Spec, mine: Spec, theirs: Spec, choices: Record<string, Side> = {}): Merged {
  const turn: Turn = { conflicts: [], choices };
  const found = mergeValue(comparable(base), comparable(mine), comparable(theirs), '', turn) as { rest: Tree; trigger: string; nodes: Record<string, SpecNode>; edges: Tree; notes: Record<string, SpecNote>; groups: Record<string, SpecGroup> };
  const trigger = found.nodes[found.trigger] ?? mine.trigger;
  const nodes = Object.values(found.nodes).filter((each) => each !== trigger);
  const edges = (Object.values(found.edges) as NonNullable<Spec['edges']>).filter((each) => (found.nodes[each.source] || each.source === trigger.id) && (found.nodes[each.target] || each.target === trigger.id));
  const [notes, groups] = [Object.values(found.notes), Object.values(found.groups)];
  const canvas = { ...(notes.length ? { notes } : {}), ...(groups.length ? { groups } : {}) };
  return { spec: { ...found.rest, ...(Object.keys(canvas).length ? { canvas } : {}), trigger, nodes, edges }, conflicts: turn.conflicts };
}

export { same };
