/** A workflow spec as the canvas holds it, and back. */

export interface SpecNode {
  id: string;
  type: string;
  label?: string;
  config?: Record<string, unknown>;
  position?: { x?: number; y?: number };
  retry?: Record<string, unknown> | null;
  timeout?: number | null;
  heartbeatTimeout?: number | null;
  scheduleToStart?: number | null;
  unknown?: string | null;
  disabled?: boolean;
  onError?: string | null;
  notes?: string;
  [more: string]: unknown;
}
export interface SpecEdge {
  id?: string;
  source: string;
  target: string;
  sourceHandle?: string;
  targetHandle?: string;
  condition?: string;
  label?: string;
  [more: string]: unknown;
}
/** A text on the canvas, for people: what runs knows nothing of it. */
export interface SpecNote {
  id: string;
  text?: string;
  position?: { x?: number; y?: number };
  size?: { width?: number; height?: number };
  colour?: string;
}
/** Steps that belong together, drawn in a frame, or as one card when it is collapsed. */
export interface SpecGroup {
  id: string;
  label?: string;
  nodes?: string[];
  collapsed?: boolean;
}
export interface Spec {
  trigger: SpecNode;
  nodes?: SpecNode[];
  edges?: SpecEdge[];
  canvas?: { notes?: SpecNote[]; groups?: SpecGroup[] };
  [more: string]: unknown;
}

/** A card on the canvas. */
export interface CardNode {
  id: string;
  type: 'card';
  position: { x: number; y: number };
  selected?: boolean;
  data: { spec: SpecNode };
  [more: string]: unknown;
}
export interface Line {
  id: string;
  type: 'line';
  source: string;
  target: string;
  sourceHandle: string;
  targetHandle: string;
  selected?: boolean;
  data: { spec: SpecEdge };
  [more: string]: unknown;
}
export interface NoteNode {
  id: string;
  type: 'note';
  position: { x: number; y: number };
  width: number;
  height: number;
  selected?: boolean;
  data: { text: string; colour: string };
  [more: string]: unknown;
}
export interface Group {
  id: string;
  label: string;
  nodes: string[];
  isCollapsed: boolean;
  selected?: boolean;
}
/** What the editor edits: cards, lines, notes, groups, and the rest of the spec untouched. */
export interface Doc {
  nodes: CardNode[];
  edges: Line[];
  notes: NoteNode[];
  groups: Group[];
  rest: Record<string, unknown>;
  triggerId: string;
}
/** What has to be known of a node type to draw it. */
export interface Shape {
  type?: string;
  inputs: string[];
  outputs: string[];
  group: string;
  title: string;
}
export type ShapeOf = (type: string) => Shape | undefined;

/** The output handles of a node, the default first: its type's, those its config makes, those in use. */
export function outputsOf(node: SpecNode, shape: Shape | undefined, used: readonly string[] = []): string[] {
  const found = new Set(shape?.outputs ?? ['out']);
  const config = node.config ?? {};
  const cases = config.cases ?? config.rules ?? config.conditions;
  if (shape && Array.isArray(cases)) {
    for (const each of cases) if (each && typeof each === 'object' && typeof (each as { output?: unknown }).output === 'string') found.add((each as { output: string }).output);
  }
  if (cases && typeof cases === 'object' && !Array.isArray(cases)) for (const each of Object.values(cases)) found.add(String(each));
  if (node.onError === 'branch') found.add('error');
  for (const each of used) if (each) found.add(each);
  return [...found];
}

/** Read a spec for the canvas. Edges get ids, handles get their names. */
export function toDoc(spec: Spec, shapeOf: ShapeOf): Doc {
  const { trigger, nodes = [], edges = [], canvas = {}, ...rest } = spec;
  const all = [trigger, ...nodes.filter((each) => each.id !== trigger.id)];
  const byId = new Map(all.map((each) => [each.id, each]));
  return {
    rest,
    triggerId: trigger.id,
    notes: (canvas.notes ?? []).map(note),
    groups: (canvas.groups ?? []).map((each) => ({ id: each.id, label: each.label ?? '', nodes: (each.nodes ?? []).filter((id) => byId.has(id)), isCollapsed: !!each.collapsed })).filter((each) => each.nodes.length),
    nodes: all.map((each, index) => card(each, { x: each.position?.x ?? index * 260, y: each.position?.y ?? 0 })),
    edges: edges.map((each, index) => {
      const source = byId.get(each.source);
      const outputs = source ? outputsOf(source, shapeOf(source.type)) : [];
      const named = each.sourceHandle || (each.condition && outputs.includes(each.condition) ? each.condition : '') || outputs[0] || 'out';
      return line(each, each.id || `${each.source}-${named}-${each.target}-${index}`, named);
    }),
  };
}

export function card(spec: SpecNode, position: { x: number; y: number }): CardNode {
  return { id: spec.id, type: 'card', position, data: { spec } };
}

export const NOTE = { width: 240, height: 140 };
export function note(spec: SpecNote): NoteNode {
  return {
    id: spec.id, type: 'note', position: { x: spec.position?.x ?? 0, y: spec.position?.y ?? 0 }, width: spec.size?.width ?? NOTE.width, height: spec.size?.height ?? NOTE.height,
    data: { text: spec.text ?? '', colour: spec.colour ?? 'yellow' },
  };
}

export function line(spec: SpecEdge, id: string, sourceHandle: string): Line {
  return { id, type: 'line', source: spec.source, target: spec.target, sourceHandle, targetHandle: spec.targetHandle || 'in', data: { spec } };
}

/** Write the spec that a canvas shows. */
export function toSpec(doc: Doc): Spec {
  const placed = doc.nodes.map((each) => ({ ...each.data.spec, id: each.id, position: { x: Math.round(each.position.x), y: Math.round(each.position.y) } }));
  const trigger = placed.find((each) => each.id === doc.triggerId) ?? placed[0]!;
  const canvas = {
    ...(doc.notes.length ? { notes: doc.notes.map(noteSpec) } : {}),
    ...(doc.groups.length ? { groups: doc.groups.map(({ id, label, nodes, isCollapsed }) => ({ id, ...(label ? { label } : {}), nodes, ...(isCollapsed ? { collapsed: true } : {}) })) } : {}),
  };
  return {
    ...doc.rest,
    ...(Object.keys(canvas).length ? { canvas } : {}),
    trigger,
    nodes: placed.filter((each) => each !== trigger),
    edges: doc.edges.map((each) => ({ ...each.data.spec, id: each.id, source: each.source, target: each.target, sourceHandle: each.sourceHandle, ...(each.targetHandle === 'in' ? {} : { targetHandle: each.targetHandle }) })),
  };
}

export function noteSpec({ id, position, width, height, data }: NoteNode): SpecNote {
  const [x, y] = [Math.round(position.x), Math.round(position.y)];
  return { id, text: data.text, position: { x, y }, size: { width: Math.round(width), height: Math.round(height) }, ...(data.colour === 'yellow' ? {} : { colour: data.colour }) };
}

/** An id that is free, and that expressions can say: http, http_2, … */
export function freshId(type: string, taken: ReadonlySet<string>): string {
  const base = (type.split('.').pop() ?? 'step').replace(/\W+/g, '_').toLowerCase();
  let id = base;
  for (let number = 2; taken.has(id); number += 1) id = `${base}_${number}`;
  return id;
}

/** Why two cards cannot be connected; empty when they can. */
export function whyNot(doc: Pick<Doc, 'nodes' | 'edges'>, source: string, target: string, sourceHandle: string, shapeOf: ShapeOf): '' | 'intoTrigger' | 'twice' | 'cycle' {
  const goal = doc.nodes.find((each) => each.id === target);
  if (goal && shapeOf(goal.data.spec.type)?.inputs.length === 0) return 'intoTrigger';
  if (doc.edges.some((each) => each.source === source && each.target === target && each.sourceHandle === sourceHandle)) return 'twice';
  if (source === target) return 'cycle';
  const loops = new Set(doc.nodes.filter((each) => ['logic.loop', 'logic.wait_event', 'logic.delay', 'logic.approval'].includes(each.data.spec.type)).map((each) => each.id));
  const after = new Map<string, string[]>();
  for (const each of doc.edges) after.set(each.source, [...(after.get(each.source) ?? []), each.target]);
  const seen = new Set<string>();
  const queue = loops.has(target) || loops.has(source) ? [] : [target];
  while (queue.length) {
    const id = queue.pop()!;
    if (id === source) return 'cycle';
    if (seen.has(id) || loops.has(id)) continue;
    seen.add(id);
    queue.push(...(after.get(id) ?? []));
  }
  return '';
}
