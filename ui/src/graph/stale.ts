/** Which outputs of a run are no longer what the workflow would say: it, or what leads to it, has changed. */
import { same } from './merge';
import type { Spec, SpecNode } from './spec';

const DRAWN = new Set(['position', 'label', 'notes', 'pinned']);
function means(node: SpecNode | undefined): unknown {
  return node && Object.fromEntries(Object.entries(node).filter(([name, value]) => !DRAWN.has(name) && value !== undefined && !(name === 'config' && !Object.keys(value as object).length)));
}
const nodesOf = (spec: Spec) => new Map([spec.trigger, ...(spec.nodes ?? [])].map((each) => [each.id, each]));
const waysOf = (spec: Spec) => new Set((spec.edges ?? []).map((each) => [each.source, each.target, each.sourceHandle === 'out' ? '' : (each.sourceHandle ?? ''), each.condition ?? ''].join('\n')));

/** Ids of the nodes that ran as they would not run today, and of all that follows them. */
export function staleNodes(ran: Spec, now: Spec): Set<string> {
  const [before, after] = [nodesOf(ran), nodesOf(now)];
  const [waysBefore, waysAfter] = [waysOf(ran), waysOf(now)];
  const found = new Set<string>();
  for (const [id, node] of before) if (!same(means(node), means(after.get(id)))) found.add(id);
  for (const way of waysBefore) if (!waysAfter.has(way)) found.add(way.split('\n')[1]!);
  for (const way of waysAfter) {
    const [source = '', target = ''] = way.split('\n');
    if (!waysBefore.has(way) && before.has(source) && before.has(target)) found.add(target);
  }
  const next = new Map<string, string[]>();
  for (const each of now.edges ?? []) next.set(each.source, [...(next.get(each.source) ?? []), each.target]);
  const queue = [...found];
  while (queue.length) for (const id of next.get(queue.pop()!) ?? []) if (!found.has(id)) queue.push((found.add(id), id));
  return new Set([...found].filter((id) => before.has(id)));
}
