/** What is edited, and every step back. A step costs two references: cards and lines are shared. */
import { applyEdgeChanges, applyNodeChanges, type EdgeChange, type NodeChange } from '@xyflow/react';
import { create } from 'zustand';
import { shapeOf } from '../canvas/shapes';
import { pasted, type Steps } from '../graph/clipboard';
import { around, GROUP_ID, NOTE_ID } from '../graph/shown';
import { card, freshId, line, outputsOf, toDoc, type CardNode, type Doc, type Line, type NoteNode, type Spec, type SpecNode } from '../graph/spec';

type Step = Doc;
/** Where a step goes: on a line, after a card (from one of its handles), before a card, at a place. */
export type PaletteFor = null | { edge?: string; from?: string; to?: string; handle?: string; position?: { x: number; y: number } };
interface State extends Doc {
  workflowId: string;
  name: string;
  /** Counts edits; what is saved remembers the count it was made of. */
  edit: number;
  past: Step[];
  future: Step[];
  palette: PaletteFor;
}
const LIMIT = 500;
const BURST_MS = 600;
export const EMPTY: Doc = { nodes: [], edges: [], notes: [], groups: [], rest: {}, triggerId: '' };
export const useEditor = create<State>()(() => ({ ...EMPTY, workflowId: '', name: '', edit: 0, past: [], future: [], palette: null }));
const get = useEditor.getState;
const set = useEditor.setState;

let burst = '';
let burstAt = 0;
const step = ({ nodes, edges, notes, groups, rest, triggerId }: State): Step => ({ nodes, edges, notes, groups, rest, triggerId });

/** Begin a change that can be undone. Changes of one `name` in quick succession are one step. */
export function begin(name = ''): void {
  const now = Date.now();
  const goesOn = name !== '' && name === burst && now - burstAt < BURST_MS;
  burst = name;
  burstAt = now;
  set((state) => ({ edit: state.edit + 1, ...(goesOn ? {} : { past: [...state.past.slice(1 - LIMIT), step(state)], future: [] }) }));
}

export function load(workflowId: string, name: string, spec: Spec): void {
  burst = '';
  set({ ...toDoc(spec, shapeOf), workflowId, name, edit: 0, past: [], future: [], palette: null });
}
/** Take in what came from elsewhere, as a step that can be undone. */
export function replaceSpec(spec: Spec): void {
  begin();
  set(toDoc(spec, shapeOf));
}
export function undo(): void {
  burst = '';
  set((state) => {
    const last = state.past.at(-1);
    return last ? { ...last, past: state.past.slice(0, -1), future: [step(state), ...state.future], edit: state.edit + 1 } : state;
  });
}
export function redo(): void {
  burst = '';
  set((state) => {
    const [next, ...future] = state.future;
    return next ? { ...next, future, past: [...state.past, step(state)], edit: state.edit + 1 } : state;
  });
}

export const dragging = {
  start: () => begin(),
  /** What was saved meanwhile is a place on the way. */
  stop: () => set((state) => ({ edit: state.edit + 1 })),
};
/** Take in what the canvas says of its cards, notes and frames; whoever drags a frame drags what is in it. */
export function changeNodes(changes: NodeChange[]): void {
  const kept = changes.filter((each) => each.type !== 'remove');
  if (kept.some((each) => each.type === 'dimensions' && each.resizing)) begin('resize');
  const ofNotes: NodeChange[] = [];
  const ofCards: NodeChange[] = [];
  for (const each of kept) {
    const id = 'id' in each ? each.id : '';
    if (id.startsWith(NOTE_ID)) ofNotes.push({ ...each, id: id.slice(NOTE_ID.length) } as NodeChange);
    else if (id.startsWith(GROUP_ID)) ofCards.push(...ofFrame(each, id.slice(GROUP_ID.length)));
    else ofCards.push(each);
  }
  set((state) => ({
    ...(ofCards.length ? { nodes: applyNodeChanges(ofCards, state.nodes as never) as unknown as CardNode[] } : {}),
    ...(ofNotes.length ? { notes: applyNodeChanges(ofNotes, state.notes as never) as unknown as NoteNode[] } : {}),
  }));
}
function ofFrame(change: NodeChange, id: string): NodeChange[] {
  const { nodes, groups } = get();
  if (change.type === 'select') set({ groups: groups.map((each) => (each.id === id ? { ...each, selected: change.selected } : each)) });
  const group = groups.find((each) => each.id === id);
  if (change.type !== 'position' || !change.position || !group) return [];
  const cards = nodes.filter((each) => group.nodes.includes(each.id));
  const from = around(cards);
  const [x, y] = [change.position.x - from.x, change.position.y - from.y];
  return cards.filter((each) => !each.selected || group.isCollapsed).map((each) => ({ type: 'position', id: each.id, position: { x: each.position.x + x, y: each.position.y + y } }));
}
/** Move what is chosen; a burst of moves is one step back. */
export function nudge(x: number, y: number): void {
  const moved = <T extends { selected?: boolean; position: { x: number; y: number } }>(each: T): T => (each.selected ? { ...each, position: { x: each.position.x + x, y: each.position.y + y } } : each);
  begin('nudge');
  set((state) => ({ nodes: state.nodes.map(moved), notes: state.notes.map(moved) }));
}
export function changeEdges(changes: EdgeChange[]): void {
  set((state) => ({ edges: applyEdgeChanges(changes.filter((each) => each.type !== 'remove'), state.edges as never) as unknown as Line[] }));
}

export function connect(source: string, sourceHandle: string, target: string): void {
  begin();
  set((state) => ({ edges: [...state.edges, joined(source, sourceHandle, target)] }));
}
function joined(source: string, handle: string, target: string): Line {
  return line({ source, target }, `${source}-${handle}-${target}-${Date.now().toString(36)}`, handle);
}

/** Put a step where it was asked for: after a card, on a line, at a place, or at the end of the way. */
export function add(type: string, at: NonNullable<PaletteFor>): string {
  begin();
  const state = get();
  const id = freshId(type, new Set(state.nodes.map((each) => each.id)));
  const shape = shapeOf(type);
  let { nodes, edges } = state;
  let position = at.position ?? { x: 0, y: 0 };
  const cut = edges.find((each) => each.id === at.edge);
  const from = nodes.find((each) => each.id === (cut ? cut.source : at.from));
  const out = shape?.outputs[0] ?? 'out';
  if (cut && from) {
    const target = nodes.find((each) => each.id === cut.target)!;
    position = { ...target.position };
    const shifted = downstream(cut.target, edges);
    const gap = 280 - Math.max(0, target.position.x - from.position.x - 280);
    if (gap > 0) nodes = nodes.map((each) => (shifted.has(each.id) && each.id !== from.id ? { ...each, position: { x: each.position.x + gap, y: each.position.y } } : each));
    if (gap <= 0) position = { x: from.position.x + 280, y: target.position.y };
    edges = [...edges.filter((each) => each !== cut), joined(cut.source, cut.sourceHandle, id), ...(shape?.outputs.length ? [joined(id, out, cut.target)] : [])];
  } else if (from && shape?.inputs.length !== 0) {
    const outputs = outputsOf(from.data.spec, shapeOf(from.data.spec.type));
    const handle = at.handle ?? outputs.find((each) => !edges.some((edge) => edge.source === from.id && edge.sourceHandle === each)) ?? outputs[0];
    if (!at.position) position = { x: from.position.x + 280, y: from.position.y + Math.max(0, outputs.indexOf(handle ?? '')) * 110 };
    if (handle) edges = [...edges, joined(from.id, handle, id)];
  } else if (from && !at.position) position = { x: from.position.x, y: from.position.y + 120 };
  if (at.to && shape?.outputs.length) edges = [...edges, joined(id, out, at.to)];
  while (!at.position && nodes.some((each) => Math.abs(each.position.x - position.x) < 230 && Math.abs(each.position.y - position.y) < 80)) position = { x: position.x, y: position.y + 110 };
  const made = card({ id, type, config: {}, position }, position);
  set({ nodes: [...nodes.map((each) => (each.selected ? { ...each, selected: false } : each)), { ...made, selected: true }], edges: edges.map((each) => (each.selected ? { ...each, selected: false } : each)) });
  return id;
}
function downstream(id: string, edges: Line[]): Set<string> {
  const found = new Set<string>();
  const queue = [id];
  while (queue.length) {
    const next = queue.pop()!;
    if (found.has(next)) continue;
    found.add(next);
    for (const each of edges) if (each.source === next) queue.push(each.target);
  }
  return found;
}

export function patchNode(id: string, change: Partial<SpecNode>, name: string): void {
  begin(`${id}.${name}`);
  set((state) => ({
    nodes: state.nodes.map((each) => (each.id === id ? { ...each, data: { spec: without({ ...each.data.spec, ...change }) } } : each)),
  }));
}
/** Change settings of the workflow: members of its `settings` and `errorHandling`; what is undefined is taken out. */
export function patchRest(change: Partial<Record<'settings' | 'errorHandling', Record<string, unknown>>>, name: string): void {
  begin(`rest.${name}`);
  set(({ rest }) => {
    const found = { ...rest };
    for (const [part, members] of Object.entries(change)) {
      const kept = Object.entries({ ...(rest[part] as object | undefined), ...members }).filter(([, value]) => value !== undefined);
      if (kept.length) found[part] = Object.fromEntries(kept);
      else delete found[part];
    }
    return { rest: found };
  });
}
/** Change several steps at once, as one step back. */
export function patchNodes(ids: readonly string[], change: (spec: SpecNode) => Partial<SpecNode>): void {
  begin();
  const wanted = new Set(ids);
  set((state) => ({ nodes: state.nodes.map((each) => (wanted.has(each.id) ? { ...each, data: { spec: without({ ...each.data.spec, ...change(each.data.spec) }) } } : each)) }));
}
function without(spec: SpecNode): SpecNode {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as SpecNode;
}
/** Take out what is chosen; the last trigger stays. A collapsed group goes with what is in it. Says whether a trigger had to stay. */
export function removeSelected(): boolean {
  const { nodes, edges, notes, groups, triggerId } = get();
  const inside = groups.filter((each) => each.selected && each.isCollapsed).flatMap((each) => each.nodes);
  const gone = new Set([...nodes.filter((each) => each.selected).map((each) => each.id), ...inside]);
  const others = nodes.filter((each) => !gone.has(each.id) && shapeOf(each.data.spec.type)?.inputs.length === 0);
  const isKept = gone.has(triggerId) && others.length === 0;
  if (isKept) gone.delete(triggerId);
  if (gone.size || [...edges, ...notes, ...groups].some((each) => each.selected)) {
    begin();
    set({
      nodes: nodes.filter((each) => !gone.has(each.id)),
      edges: edges.filter((each) => !each.selected && !gone.has(each.source) && !gone.has(each.target)),
      notes: notes.filter((each) => !each.selected),
      groups: groups.filter((each) => !each.selected || (each.isCollapsed && isKept)).map((each) => ({ ...each, nodes: each.nodes.filter((id) => !gone.has(id)) })).filter((each) => each.nodes.length),
      triggerId: gone.has(triggerId) ? others[0]!.id : triggerId,
    });
  }
  return isKept;
}
export function paste(steps: Steps, middle?: { x: number; y: number }): void {
  begin();
  set((state) => pasted(state, steps, middle));
}
export function place(positions: ReadonlyMap<string, { x: number; y: number }>): void {
  set((state) => ({ nodes: state.nodes.map((each) => (positions.has(each.id) ? { ...each, position: positions.get(each.id)! } : each)) }));
}
export function choose(ids: readonly string[]): void {
  const wanted = new Set(ids);
  const chosen = <T extends { id: string; selected?: boolean }>(each: T): T => (!!each.selected === wanted.has(each.id) ? each : { ...each, selected: wanted.has(each.id) });
  const left = <T extends { selected?: boolean }>(each: T): T => (each.selected ? { ...each, selected: false } : each);
  set((state) => ({ nodes: state.nodes.map(chosen), edges: state.edges.map(left), notes: state.notes.map(left), groups: state.groups.map(left) }));
}
export const openPalette = (palette: PaletteFor): void => set({ palette });
