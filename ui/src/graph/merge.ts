/** Three-way merge of specs: by node, edge and field. */
import type { Spec, SpecNode } from './spec';

export interface Merged {
  spec: Spec;
  /** Where both changed the same thing: paths such as `nodes.http.config.url`. Mine was kept there. */
  conflicts: string[];
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

function mergeValue(base: unknown, mine: unknown, theirs: unknown, path: string, conflicts: string[]): unknown {
  if (same(mine, theirs) || same(base, theirs)) return mine;
  if (same(base, mine)) return theirs;
  if (isTree(mine) && isTree(theirs)) {
    const from = isTree(base) ? base : {};
    const found: Tree = {};
    for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
      const value = mergeValue(from[key], mine[key], theirs[key], path ? `${path}.${key}` : key, conflicts);
      if (value !== undefined) found[key] = value;
    }
    return found;
  }
  conflicts.push(path);
  return mine;
}

const keyed = (list: readonly { id?: string }[]): Tree => Object.fromEntries(list.map((each, index) => [each.id ?? String(index), each]));
const comparable = (spec: Spec): Tree => {
  const { trigger, nodes = [], edges = [], ...rest } = spec;
  return { rest, trigger: trigger.id, nodes: keyed([trigger, ...nodes.filter((each) => each.id !== trigger.id)]), edges: keyed(edges) };
};

/** Merge what I and somebody else made of `base`. Edges of nodes that are gone go too. */
export function merge(base: Spec, mine: Spec, theirs: Spec): Merged {
  const conflicts: string[] = [];
  const found = mergeValue(comparable(base), comparable(mine), comparable(theirs), '', conflicts) as { rest: Tree; trigger: string; nodes: Record<string, SpecNode>; edges: Tree };
  const trigger = found.nodes[found.trigger] ?? mine.trigger;
  const nodes = Object.values(found.nodes).filter((each) => each !== trigger);
  const edges = (Object.values(found.edges) as NonNullable<Spec['edges']>).filter((each) => found.nodes[each.source] && found.nodes[each.target]);
  return { spec: { ...found.rest, trigger, nodes, edges }, conflicts };
}

export { same };
