/** Steps as text: what the clipboard holds, and what it may hold. */
import { CARD } from './align';
import { card, freshId, line, note, noteSpec, toDoc, type CardNode, type Doc, type Line, type ShapeOf, type Spec, type SpecNode } from './spec';

/** What can be pasted. */
export type Steps = Pick<Doc, 'nodes' | 'edges'> & Partial<Pick<Doc, 'notes' | 'groups'>>;
const SECRET = /^(pass(word|phrase|wd)?|token|secret|.*[-_ ]?(secret|token|password)|api[-_]?key|x-api-key|private[-_]?key|authorization|cookie|client[-_]?secret)$/i;
export const HIDDEN = '***';
const SHIFT = 40;

/** The value without what looks like a secret: a text under the name of one, unless it is an expression. */
function bare(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return SECRET.test(name) && value !== '' && !value.includes('{{') ? HIDDEN : value;
  if (Array.isArray(value)) return value.map((each: unknown) => bare(each, name));
  if (typeof value !== 'object' || value === null) return value;
  const pair = value as { name?: unknown; key?: unknown; value?: unknown };
  const said = typeof pair.name === 'string' ? pair.name : typeof pair.key === 'string' ? pair.key : '';
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, bare(each, key === 'value' && said ? said : key)]));
}

/** Write the chosen steps and notes, and the lines between them, as readable JSON. Secrets stay here. */
export function copied(doc: Pick<Doc, 'nodes' | 'edges'> & Partial<Pick<Doc, 'notes' | 'groups'>>, isWhole = false): string {
  const closed = new Set((doc.groups ?? []).filter((each) => each.selected).flatMap((each) => each.nodes));
  const nodes = doc.nodes.filter((each) => each.selected || closed.has(each.id));
  const ids = new Set(nodes.map((each) => each.id));
  const edges = doc.edges.filter((each) => ids.has(each.source) && ids.has(each.target));
  const notes = (doc.notes ?? []).filter((each) => each.selected).map(noteSpec);
  const groups = (doc.groups ?? []).filter((each) => each.nodes.every((id) => ids.has(id))).map(({ id, label, nodes: members, isCollapsed }) => ({ id, label, nodes: members, collapsed: isCollapsed }));
  return JSON.stringify({
    linkflow: 1,
    nodes: nodes.map((each) => ({ ...each.data.spec, ...(isWhole ? {} : { config: bare(each.data.spec.config) }), id: each.id, position: each.position })),
    edges: edges.map(({ source, target, sourceHandle }) => ({ source, target, sourceHandle })),
    ...(notes.length || groups.length ? { canvas: { notes, groups } } : {}),
  }, null, 2);
}

/** The JSON object of a text; null when it is none. */
function objectOf(text: string): object | null {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' ? found : null;
  } catch {
    return null;
  }
}
/** What n8n copied, which the server reads; null when it is something else. */
export function n8nOf(text: string): object | null {
  const found = objectOf(text) as { nodes?: unknown; connections?: unknown } | null;
  const { nodes, connections } = found ?? {};
  return Array.isArray(nodes) && typeof connections === 'object' && connections !== null && !Array.isArray(connections) ? found : null;
}

/** Read steps out of a text: what we copied, or a whole spec. Null when it is none. */
export function readSteps(text: string, shapeOf: ShapeOf): Steps | null {
  const found = objectOf(text);
  if (!found) return null;
  const inner = found as { spec?: unknown; workflow?: unknown };
  return stepsOf((isSpec(inner.spec) ? inner.spec : isSpec(inner.workflow) ? inner.workflow : found) as Partial<Spec>, shapeOf);
}
const isSpec = (value: unknown): boolean => typeof value === 'object' && value !== null && 'nodes' in value;

function stepsOf(given: Partial<Spec>, shapeOf: ShapeOf): Steps | null {
  const nodes = (Array.isArray(given.nodes) ? given.nodes : []) as SpecNode[];
  if (nodes.some((each) => typeof each?.id !== 'string' || typeof each.type !== 'string')) return null;
  const [first, ...others] = given.trigger ? [given.trigger, ...nodes] : nodes;
  if (!first) {
    const notes = (given.canvas?.notes ?? []).map(note);
    return notes.length ? { nodes: [], edges: [], notes, groups: [] } : null;
  }
  const ours = (each: SpecNode): SpecNode => ({ ...each, type: shapeOf(each.type.split('@')[0]!)?.type ?? each.type });
  return toDoc({ trigger: ours(first), nodes: others.map(ours), edges: Array.isArray(given.edges) ? given.edges : [], canvas: given.canvas }, shapeOf);
}

/** Put steps into a canvas under free ids, a little aside, or around a place; expressions between them follow the new ids. */
export function pasted(doc: Pick<Doc, 'nodes' | 'edges' | 'notes' | 'groups'>, steps: Steps, middle?: { x: number; y: number }): Pick<Doc, 'nodes' | 'edges' | 'notes' | 'groups'> {
  const taken = new Set(doc.nodes.map((each) => each.id));
  const names = new Map<string, string>();
  for (const each of steps.nodes) {
    const id = taken.has(each.id) ? freshId(each.data.spec.type, taken) : each.id;
    taken.add(id);
    names.set(each.id, id);
  }
  const all = [...steps.nodes, ...(steps.notes ?? [])].map((each) => each.position);
  const off = (axis: 'x' | 'y', half: number) => (middle ? middle[axis] - half - (Math.min(...all.map((each) => each[axis])) + Math.max(...all.map((each) => each[axis]))) / 2 : SHIFT);
  const shift = { x: off('x', CARD.width / 2), y: off('y', CARD.height / 2) };
  const aside = ({ x, y }: { x: number; y: number }) => ({ x: Math.round(x + shift.x), y: Math.round(y + shift.y) });
  const nodes: CardNode[] = steps.nodes.map((each) => ({ ...card({ ...renamed(each.data.spec, names), id: names.get(each.id)! }, aside(each.position)), selected: true }));
  const edges: Line[] = steps.edges.filter((each) => names.has(each.source) && names.has(each.target)).map((each) => {
    const ends = { source: names.get(each.source)!, target: names.get(each.target)! };
    return line({ ...each.data.spec, ...ends }, `${ends.source}-${each.sourceHandle}-${ends.target}`, each.sourceHandle);
  });
  const notes = (steps.notes ?? []).map((each) => ({ ...each, id: free(each.id, doc.notes), position: aside(each.position), selected: true }));
  const groups = (steps.groups ?? []).map((each) => ({ ...each, id: free(each.id, doc.groups), nodes: each.nodes.map((id) => names.get(id)!) }));
  const left = <T extends { selected?: boolean }>(each: T): T => (each.selected ? { ...each, selected: false } : each);
  return { nodes: [...doc.nodes.map(left), ...nodes], edges: [...doc.edges, ...edges], notes: [...doc.notes.map(left), ...notes], groups: [...doc.groups.map(left), ...groups] };
}

/** An id that none of these has: note, note_2, … */
export function free(id: string, taken: readonly { id: string }[]): string {
  const base = id.replace(/_\d+$/, '');
  const ids = new Set(taken.map((each) => each.id));
  let found = id;
  for (let number = 2; ids.has(found); number += 1) found = `${base}_${number}`;
  return found;
}

function renamed<T>(value: T, names: Map<string, string>): T {
  let text = JSON.stringify(value);
  for (const [old, now] of names) if (old !== now) text = text.replaceAll(new RegExp(`\\bnode_${old}\\b`, 'g'), `node_${now}`);
  return JSON.parse(text) as T;
}
