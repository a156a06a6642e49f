/** Everything that can be done in the editor, as values: toolbar, palette, shortcuts and their list read this one. */
import { BetweenVerticalEnd, BetweenVerticalStart, CircleHelp, EyeOff, ListTree, Maximize, MousePointer2, PencilLine, Play, Plus, Redo2, Save, Search, Settings2, Spline, Trash2, Undo2, ZoomIn, ZoomOut } from 'lucide-react';
import { shapeOf } from '../../canvas/shapes';
import { choose, openPalette, patchNodes, redo, undo, useEditor } from '../store';
import { always, chosen, hasAny, hasChosen, nameOf, type Action } from './action';
import { ARRANGE } from './arrange';
import { CLIPBOARD, cutChosen } from './clipboard';
import { WALKING } from './walking';

export type { Action, Context } from './action';
export { keysShown, isPressed, isTyping } from './keys';

export const ACTIONS: readonly Action[] = [
  { name: 'add', label: 'edit.add', icon: Plus, part: 'edit', keys: ['N', 'Mod+K'], isEnabled: always, perform: () => openPalette({ from: chosen().at(-1)?.id ?? lastCard() }) },
  { name: 'insert', label: 'edit.insertAfter', icon: BetweenVerticalStart, part: 'edit', keys: ['I'], isEnabled: () => !!wayOut(), perform: () => openPalette({ edge: wayOut() }) },
  { name: 'insertBefore', label: 'edit.insertBefore', icon: BetweenVerticalEnd, part: 'edit', keys: ['Shift+I'], isEnabled: () => !!wayIn(), perform: () => openPalette({ edge: wayIn() }) },
  { name: 'run', label: 'edit.run', icon: Play, part: 'edit', keys: ['Mod+Enter'], isEnabled: always, perform: (context) => context.run() },
  { name: 'save', label: 'edit.save', icon: Save, part: 'edit', keys: ['Mod+S'], isEnabled: always, perform: (context) => context.save() },
  { name: 'undo', label: 'edit.undo', icon: Undo2, part: 'edit', keys: ['Mod+Z'], isEnabled: () => useEditor.getState().past.length > 0, perform: ({ announce, say }) => { undo(); announce(say('voice.undone')); } },
  { name: 'redo', label: 'edit.redo', icon: Redo2, part: 'edit', keys: ['Mod+Shift+Z', 'Mod+Y'], isEnabled: () => useEditor.getState().future.length > 0, perform: ({ announce, say }) => { redo(); announce(say('voice.redone')); } },
  ...CLIPBOARD,
  { name: 'remove', label: 'edit.remove', icon: Trash2, part: 'edit', keys: ['Del', 'Backspace'], isEnabled: hasAny, perform: (context) => { const count = chosen().length; cutChosen(context); context.announce(context.say('voice.removed', { count })); } },
  { name: 'selectAll', label: 'edit.selectAll', icon: MousePointer2, part: 'edit', keys: ['Mod+A'], isEnabled: always, perform: ({ announce, say }) => { const { nodes } = useEditor.getState(); choose(nodes.map((each) => each.id)); announce(say('voice.chosen', { count: nodes.length })); } },
  { name: 'connect', label: 'edit.connect', icon: Spline, part: 'edit', keys: ['C'], isEnabled: () => chosen().length === 1, perform: (context) => context.connectTo(chosen()[0]!.id) },
  { name: 'disable', label: 'edit.disable', icon: EyeOff, part: 'edit', keys: ['D'], isEnabled: hasChosen, perform: () => patchNodes(chosen().map((each) => each.id), (spec) => ({ disabled: spec.disabled ? undefined : true })) },
  { name: 'rename', label: 'edit.rename', icon: PencilLine, part: 'edit', keys: ['F2'], isEnabled: () => chosen().length === 1, perform: ({ rename }) => rename(chosen()[0]!.id) },
  ...ARRANGE,
  { name: 'fit', label: 'edit.fit', icon: Maximize, part: 'view', keys: ['1'], isEnabled: always, perform: (context) => context.fit() },
  { name: 'zoomReset', label: 'edit.zoomReset', icon: Search, part: 'view', keys: ['0'], isEnabled: always, perform: (context) => context.zoom(0) },
  { name: 'zoomIn', label: 'edit.zoomIn', icon: ZoomIn, part: 'view', keys: ['+', '='], isEnabled: always, perform: (context) => context.zoom(1.2) },
  { name: 'zoomOut', label: 'edit.zoomOut', icon: ZoomOut, part: 'view', keys: ['-'], isEnabled: always, perform: (context) => context.zoom(1 / 1.2) },
  { name: 'outline', label: 'edit.outline', icon: ListTree, part: 'view', keys: ['O', 'Mod+F'], isEnabled: always, perform: (context) => context.show('outline') },
  { name: 'settings', label: 'flow.title', icon: Settings2, part: 'view', keys: ['Mod+,'], isEnabled: always, perform: (context) => context.show('settings') },
  { name: 'shortcuts', label: 'edit.shortcuts', icon: CircleHelp, part: 'view', keys: ['?'], isEnabled: always, perform: (context) => context.show('shortcuts') },
  ...WALKING,
];
export const actionOf = (name: string): Action => ACTIONS.find((each) => each.name === name)!;

/** The line that is chosen, else the first one that leaves the chosen card. */
function wayOut(): string | undefined {
  const { edges } = useEditor.getState();
  const [only, ...others] = chosen();
  return edges.find((each) => each.selected)?.id ?? (only && !others.length ? edges.find((each) => each.source === only.id)?.id : undefined);
}
/** The first line that leads to the chosen card. */
function wayIn(): string | undefined {
  const [only, ...others] = chosen();
  return only && !others.length ? useEditor.getState().edges.find((each) => each.target === only.id)?.id : undefined;
}
/** The card at the end of the way: where a step goes that nothing else was chosen for. */
function lastCard(): string | undefined {
  const { nodes, edges } = useEditor.getState();
  const ends = nodes.filter((each) => !edges.some((edge) => edge.source === each.id) && shapeOf(each.data.spec.type)?.outputs.length !== 0);
  return ends.sort((one, two) => two.position.x - one.position.x)[0]?.id;
}
export { nameOf };
