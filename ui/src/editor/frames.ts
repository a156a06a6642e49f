/** Notes and groups on the canvas: for people; what runs knows nothing of them. */
import { free } from '../graph/clipboard';
import { NOTE, note, type Group, type NoteNode } from '../graph/spec';
import { begin, choose, useEditor } from './store';

const get = useEditor.getState;
const set = useEditor.setState;
export const COLOURS = ['yellow', 'green', 'blue', 'red', 'grey'] as const;

/** Put an empty note in the middle of what is seen; answers its id. */
export function addNote(middle: { x: number; y: number }): string {
  begin();
  choose([]);
  const made = note({ id: free('note', get().notes), position: { x: middle.x - NOTE.width / 2, y: middle.y - NOTE.height / 2 } });
  set((state) => ({ notes: [...state.notes, { ...made, selected: true }] }));
  return made.id;
}
export function patchNote(id: string, change: Partial<NoteNode['data']>): void {
  begin(`${id}.${Object.keys(change)[0]}`);
  set((state) => ({ notes: state.notes.map((each) => (each.id === id ? { ...each, data: { ...each.data, ...change } } : each)) }));
}
export function removeNote(id: string): void {
  begin();
  set((state) => ({ notes: state.notes.filter((each) => each.id !== id) }));
}

/** Make a group of the chosen steps; a step is in one group only. */
export function group(label: string): void {
  const { nodes, groups } = get();
  const ids = nodes.filter((each) => each.selected).map((each) => each.id);
  begin();
  const made: Group = { id: free('group', groups), label: `${label} ${groups.length + 1}`, nodes: ids, isCollapsed: false };
  set({ groups: [...groups.map((each) => ({ ...each, nodes: each.nodes.filter((id) => !ids.includes(id)) })).filter((each) => each.nodes.length), made] });
}
/** Take apart the groups that are chosen, or of which steps are. Says whether there are any; `isAsked` changes nothing. */
export function ungroup(isAsked = false): boolean {
  const { nodes, groups } = get();
  const chosen = new Set(nodes.filter((each) => each.selected).map((each) => each.id));
  const kept = groups.filter((each) => !each.selected && !each.nodes.some((id) => chosen.has(id)));
  if (kept.length === groups.length || isAsked) return kept.length < groups.length;
  begin();
  set({ groups: kept });
  return true;
}
export function patchGroup(id: string, change: Partial<Pick<Group, 'label' | 'isCollapsed'>>): void {
  begin(`${id}.${Object.keys(change)[0]}`);
  set((state) => ({ groups: state.groups.map((each) => (each.id === id ? { ...each, ...change } : each)) }));
}
