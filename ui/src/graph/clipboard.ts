/** Steps as text: what the clipboard holds, and what it may hold. */
import { card, freshId, line, type CardNode, type Doc, type Line, type ShapeOf, type Spec, toDoc } from './spec';

/** Write the chosen steps and the lines between them as readable JSON. */
export function copied(doc: Pick<Doc, 'nodes' | 'edges'>): string {
  const nodes = doc.nodes.filter((each) => each.selected);
  const ids = new Set(nodes.map((each) => each.id));
  const edges = doc.edges.filter((each) => ids.has(each.source) && ids.has(each.target));
  return JSON.stringify({
    linkflow: 1,
    nodes: nodes.map((each) => ({ ...each.data.spec, id: each.id, position: each.position })),
    edges: edges.map(({ source, target, sourceHandle }) => ({ source, target, sourceHandle })),
  }, null, 2);
}

/** Read steps out of a text: what we copied, or a whole spec. Null when it is neither. */
export function readSteps(text: string, shapeOf: ShapeOf): Pick<Doc, 'nodes' | 'edges'> | null {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof found !== 'object' || found === null) return null;
  const given = found as Partial<Spec>;
  const nodes = Array.isArray(given.nodes) ? given.nodes : [];
  if (nodes.some((each) => typeof each?.id !== 'string' || typeof each.type !== 'string')) return null;
  const [first, ...others] = given.trigger ? [given.trigger, ...nodes] : nodes;
  if (!first) return null;
  return toDoc({ trigger: first, nodes: others, edges: Array.isArray(given.edges) ? given.edges : [] }, shapeOf);
}

/** Put steps into a canvas under free ids, a little aside; expressions between them follow the new ids. */
export function pasted(doc: Pick<Doc, 'nodes' | 'edges'>, steps: Pick<Doc, 'nodes' | 'edges'>, shift = 40): Pick<Doc, 'nodes' | 'edges'> {
  const taken = new Set(doc.nodes.map((each) => each.id));
  const names = new Map<string, string>();
  for (const each of steps.nodes) {
    const id = taken.has(each.id) ? freshId(each.data.spec.type, taken) : each.id;
    taken.add(id);
    names.set(each.id, id);
  }
  const nodes: CardNode[] = steps.nodes.map((each) => ({
    ...card({ ...renamed(each.data.spec, names), id: names.get(each.id)! }, { x: each.position.x + shift, y: each.position.y + shift }), selected: true,
  }));
  const edges: Line[] = steps.edges.filter((each) => names.has(each.source) && names.has(each.target)).map((each) => {
    const ends = { source: names.get(each.source)!, target: names.get(each.target)! };
    return line({ ...each.data.spec, ...ends }, `${ends.source}-${each.sourceHandle}-${ends.target}`, each.sourceHandle);
  });
  return { nodes: [...doc.nodes.map((each) => (each.selected ? { ...each, selected: false } : each)), ...nodes], edges: [...doc.edges, ...edges] };
}

function renamed<T>(value: T, names: Map<string, string>): T {
  let text = JSON.stringify(value);
  for (const [old, now] of names) if (old !== now) text = text.replaceAll(new RegExp(`\\bnode_${old}\\b`, 'g'), `node_${now}`);
  return JSON.parse(text) as T;
}
