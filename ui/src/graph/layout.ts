/** Layered layout, left to right: ranks by the longest way, order by barycentres. */

export interface Box {
  id: string;
  position: { x: number; y: number };
}
export const STEP = { x: 280, y: 120 };

/** Say where each card goes. Edges that lead back are left out of the ranks. */
export function tidy(nodes: readonly Box[], edges: readonly { source: string; target: string }[]): Map<string, { x: number; y: number }> {
  const after = new Map<string, string[]>(nodes.map((each) => [each.id, []]));
  const before = new Map<string, string[]>(nodes.map((each) => [each.id, []]));
  const forward = withoutBack(nodes, edges);
  for (const { source, target } of forward) {
    after.get(source)?.push(target);
    before.get(target)?.push(source);
  }
  const rank = ranks(nodes, before, after);
  const layers: string[][] = [];
  for (const each of [...nodes].sort((one, two) => one.position.y - two.position.y)) (layers[rank.get(each.id)!] ??= []).push(each.id);
  for (let sweep = 0; sweep < 8; sweep += 1) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : [...layers].reverse()) if (layer) order(layer, layers, down ? before : after);
  }
  const found = new Map<string, { x: number; y: number }>();
  layers.forEach((layer, index) => {
    layer?.forEach((id, place) => found.set(id, { x: index * STEP.x, y: (place - (layer.length - 1) / 2) * STEP.y }));
  });
  return found;
}

function order(layer: string[], layers: string[][], near: Map<string, string[]>): void {
  const place = new Map<string, number>();
  for (const each of layers) each?.forEach((id, index) => place.set(id, index - (each.length - 1) / 2));
  const middle = (id: string) => {
    const around = near.get(id) ?? [];
    return around.length ? around.reduce((sum, each) => sum + (place.get(each) ?? 0), 0) / around.length : place.get(id)!;
  };
  const key = new Map(layer.map((id) => [id, middle(id)]));
  layer.sort((one, two) => key.get(one)! - key.get(two)!);
}

function ranks(nodes: readonly Box[], before: Map<string, string[]>, after: Map<string, string[]>): Map<string, number> {
  const rank = new Map<string, number>();
  const open = new Map(nodes.map((each) => [each.id, before.get(each.id)!.length]));
  const ready = nodes.filter((each) => open.get(each.id) === 0).map((each) => each.id);
  for (const id of ready) rank.set(id, 0);
  for (let index = 0; index < ready.length; index += 1) {
    const id = ready[index]!;
    for (const next of after.get(id)!) {
      rank.set(next, Math.max(rank.get(next) ?? 0, rank.get(id)! + 1));
      open.set(next, open.get(next)! - 1);
      if (open.get(next) === 0) ready.push(next);
    }
  }
  return rank;
}

/** Leave out the edges that close a circle, found by walking depth first without recursion. */
function withoutBack(nodes: readonly Box[], edges: readonly { source: string; target: string }[]): { source: string; target: string }[] {
  const known = new Set(nodes.map((each) => each.id));
  const out = new Map<string, { source: string; target: string }[]>();
  for (const each of edges) if (known.has(each.source) && known.has(each.target)) out.set(each.source, [...(out.get(each.source) ?? []), each]);
  const state = new Map<string, 'open' | 'done'>();
  const kept: { source: string; target: string }[] = [];
  for (const root of nodes) {
    if (state.has(root.id)) continue;
    const stack = [{ id: root.id, index: 0 }];
    state.set(root.id, 'open');
    while (stack.length) {
      const top = stack[stack.length - 1]!;
      const edge = out.get(top.id)?.[top.index];
      top.index += 1;
      if (!edge) {
        state.set(top.id, 'done');
        stack.pop();
      } else if (state.get(edge.target) !== 'open') {
        kept.push(edge);
        if (!state.has(edge.target)) {
          state.set(edge.target, 'open');
          stack.push({ id: edge.target, index: 0 });
        }
      }
    }
  }
  return kept;
}
