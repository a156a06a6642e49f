/** What a canvas draws of a document: frames around groups, notes, cards; a collapsed group as one card. */
import { sizeOf } from './align';
import type { CardNode, Doc, Group, Line, NoteNode } from './spec';

export interface Frame {
  id: string;
  type: 'frame';
  position: { x: number; y: number };
  width: number;
  height: number;
  selected?: boolean;
  data: { group: Group; count: number };
  [more: string]: unknown;
}
export type Drawn = CardNode | NoteNode | Frame;
/** Ids on the canvas of what is no card, so that none is ever that of a step. */
export const NOTE_ID = 'note:';
export const GROUP_ID = 'group:';
const PAD = 22;
const HEAD = 30;
const CLOSED = { width: 200, height: 58 };

const notes = new WeakMap<NoteNode, NoteNode>();
const hidden = new WeakMap<CardNode, CardNode>();
const frames = new WeakMap<Group, Frame>();
const bent = new WeakMap<Line, Line>();

function kept<K extends object, V>(cache: WeakMap<K, V>, key: K, make: () => V, holds: (found: V) => boolean = () => true): V {
  const found = cache.get(key);
  if (found !== undefined && holds(found)) return found;
  const made = make();
  cache.set(key, made);
  return made;
}

/** The rectangle around cards, with room for a heading. */
export function around(cards: readonly CardNode[]): { x: number; y: number; width: number; height: number } {
  const sizes = cards.map((each) => sizeOf(each as never));
  const x = Math.min(...cards.map((each) => each.position.x)) - PAD;
  const y = Math.min(...cards.map((each) => each.position.y)) - PAD - HEAD;
  const right = Math.max(...cards.map((each, index) => each.position.x + sizes[index]!.width)) + PAD;
  const bottom = Math.max(...cards.map((each, index) => each.position.y + sizes[index]!.height)) + PAD;
  return { x, y, width: right - x, height: bottom - y };
}

function frame(group: Group, cards: readonly CardNode[]): Frame {
  const box = around(cards);
  const { width, height } = group.isCollapsed ? CLOSED : box;
  const at = { y: height / 2 - 5, width: 10, height: 10 };
  return {
    id: GROUP_ID + group.id, type: 'frame', position: { x: box.x, y: box.y }, width, height, measured: { width, height }, selected: group.selected, zIndex: group.isCollapsed ? 1 : -2, connectable: false,
    data: { group, count: cards.length },
    handles: group.isCollapsed ? [{ ...at, type: 'target', position: 'left', x: -5, id: 'in' }, { ...at, type: 'source', position: 'right', x: width - 5, id: 'out' }] : [],
  };
}

/** Cards by their places in the order; those that have none yet come last. */
function inOrder(nodes: readonly CardNode[], order: ReadonlyMap<string, number>): CardNode[] {
  const placed: CardNode[] = new Array<CardNode>(order.size);
  const others: CardNode[] = [];
  for (const each of nodes) {
    const at = order.get(each.id);
    if (at === undefined) others.push(each);
    else placed[at] = each;
  }
  return [...placed.filter(Boolean), ...others];
}

/** Say what to draw. The same document gives the same objects, so that only what changed is drawn again. */
export function shown(doc: Pick<Doc, 'nodes' | 'edges' | 'notes' | 'groups'>, order: ReadonlyMap<string, number>): { nodes: Drawn[]; edges: Line[] } {
  const sorted = inOrder(doc.nodes, order);
  if (!doc.groups.length && !doc.notes.length) return { nodes: sorted, edges: doc.edges };
  const byId = new Map(doc.nodes.map((each) => [each.id, each]));
  const closed = new Map<string, string>();
  const drawnFrames = doc.groups.flatMap((group) => {
    const cards = group.nodes.map((id) => byId.get(id)).filter((each) => !!each);
    if (!cards.length) return [];
    if (group.isCollapsed) for (const each of cards) closed.set(each.id, GROUP_ID + group.id);
    const made = frame(group, cards);
    return [kept(frames, group, () => made, (old) => old.position.x === made.position.x && old.position.y === made.position.y && old.width === made.width && old.height === made.height && old.data.count === made.data.count)];
  });
  const drawnNotes = doc.notes.map((each) => kept(notes, each, () => ({ ...each, id: NOTE_ID + each.id, zIndex: -1, connectable: false })));
  const nodes = sorted.map((each) => (closed.has(each.id) ? kept(hidden, each, () => ({ ...each, hidden: true })) : each));
  const edges = doc.edges.flatMap((each) => {
    const source = closed.get(each.source) ?? each.source;
    const target = closed.get(each.target) ?? each.target;
    if (source === each.source && target === each.target) return [each];
    if (source === target) return [];
    const ends = { source, target, sourceHandle: source === each.source ? each.sourceHandle : 'out', targetHandle: target === each.target ? each.targetHandle : 'in', data: { spec: { ...each.data.spec, source: each.source, target: each.target, sourceHandle: each.sourceHandle } } };
    return [kept(bent, each, () => ({ ...each, ...ends }), (old) => old.source === source && old.target === target)];
  });
  return { nodes: [...drawnFrames, ...drawnNotes, ...nodes], edges };
}
