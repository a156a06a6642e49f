/** Ways through a graph: the order in which one reads it, and who is beside whom. */
import type { CardNode, Line } from './spec';

type Way = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';
type Card = Pick<CardNode, 'id' | 'position'>;
type Edge = Pick<Line, 'source' | 'target'>;
const higher = (one: Card, two: Card) => one.position.y - two.position.y || one.position.x - two.position.x;

function nextTo(edges: readonly Edge[], from: 'source' | 'target', to: 'source' | 'target'): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const each of edges) {
    const list = found.get(each[from]);
    if (list) list.push(each[to]);
    else found.set(each[from], [each[to]]);
  }
  return found;
}

/** Ids in graph order: a step after all that lead to it, branches from top to bottom; circles broken where first met. */
export function graphOrder(nodes: readonly Card[], edges: readonly Edge[]): string[] {
  const byId = new Map(nodes.map((each) => [each.id, each]));
  const after = nextTo(edges, 'source', 'target');
  const isLedTo = new Set(edges.map((each) => each.target));
  const seen = new Set<string>();
  const done: string[] = [];
  const enter = (id: string) => {
    seen.add(id);
    return { id, ways: (after.get(id) ?? []).map((each) => byId.get(each)).filter((each) => !!each).sort(higher) };
  };
  const visit = (root: string) => {
    const stack = [enter(root)];
    while (stack.length) {
      const top = stack.at(-1)!;
      const way = top.ways.pop(); // the lowest first: what is done last is read first
      if (!way) {
        done.push(top.id);
        stack.pop();
      } else if (!seen.has(way.id)) stack.push(enter(way.id));
    }
  };
  const sorted = [...nodes].sort((one, two) => -higher(one, two));
  for (const each of sorted) if (!isLedTo.has(each.id) && !seen.has(each.id)) visit(each.id);
  for (const each of sorted) if (!seen.has(each.id)) visit(each.id);
  return done.reverse();
}

/** The card beside one: along the lines to the left and right, by place up and down. Undefined where there is none. */
export function beside(nodes: readonly Card[], edges: readonly Edge[], id: string, way: Way): string | undefined {
  const byId = new Map(nodes.map((each) => [each.id, each]));
  const here = byId.get(id);
  if (!here) return undefined;
  if (way === 'ArrowLeft' || way === 'ArrowRight') {
    const [from, to] = way === 'ArrowRight' ? (['source', 'target'] as const) : (['target', 'source'] as const);
    const near = edges.filter((each) => each[from] === id && each[to] !== id).map((each) => byId.get(each[to])).filter((each) => !!each);
    return near.sort((one, two) => Math.abs(one.position.y - here.position.y) - Math.abs(two.position.y - here.position.y) || higher(one, two))[0]?.id;
  }
  const sign = way === 'ArrowDown' ? 1 : -1;
  const far = (each: Card) => Math.abs(each.position.y - here.position.y) + 3 * Math.abs(each.position.x - here.position.x);
  return nodes.filter((each) => (each.position.y - here.position.y) * sign > 0).sort((one, two) => far(one) - far(two))[0]?.id;
}

/** All that a card leads to, or that leads to it; with itself. */
export function stream(edges: readonly Edge[], id: string, isDown: boolean): Set<string> {
  const next = isDown ? nextTo(edges, 'source', 'target') : nextTo(edges, 'target', 'source');
  const found = new Set<string>();
  const queue = [id];
  while (queue.length) {
    const each = queue.pop()!;
    if (found.has(each)) continue;
    found.add(each);
    queue.push(...(next.get(each) ?? []));
  }
  return found;
}
