/** Everything that can be done in the editor, as values: toolbar, palette and shortcuts read this one list. */
import { ClipboardPaste, Copy, CopyPlus, EyeOff, Maximize, MousePointer2, Play, Plus, Redo2, Scissors, Spline, Trash2, Undo2, WandSparkles, type LucideIcon } from 'lucide-react';
import { toast } from 'sonner';
import { shapeOf } from '../canvas/shapes';
import { copied, readSteps } from '../graph/clipboard';
import { tidy } from '../graph/layout';
import type { Key } from '../i18n/en';
import { choose, openPalette, paste, patchNode, place, redo, removeSelected, undo, useEditor } from './store';

export interface Context {
  say: (key: Key, values?: Record<string, unknown>) => string;
  run: () => void;
  fit: () => void;
  connectTo: (id: string) => void;
}
export interface Action {
  name: string;
  label: Key;
  icon: LucideIcon;
  /** As people read it; Mod is Ctrl, or Command on a Mac. */
  keys: string;
  isKey: (event: KeyboardEvent) => boolean;
  isEnabled: () => boolean;
  perform: (context: Context) => void | Promise<void>;
}

const isMac = navigator.platform.startsWith('Mac');
const mod = (event: KeyboardEvent) => (isMac ? event.metaKey : event.ctrlKey);
const plain = (key: string) => (event: KeyboardEvent) => event.key.toLowerCase() === key && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
const with_ = (key: string) => (event: KeyboardEvent) => mod(event) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === key;
const chosen = () => useEditor.getState().nodes.filter((each) => each.selected);
const hasChosen = () => chosen().length > 0;
const always = () => true;

async function toClipboard({ say }: Context): Promise<boolean> {
  const count = chosen().length;
  if (!count) return false;
  await navigator.clipboard.writeText(copied(useEditor.getState()));
  toast(say('edit.copiedMany', { count }));
  return true;
}
function remove({ say }: Context): void {
  if (removeSelected()) toast(say('edit.keepTrigger'));
}

export const ACTIONS: readonly Action[] = [
  { name: 'add', label: 'edit.add', icon: Plus, keys: 'N', isKey: (event) => plain('n')(event) || with_('k')(event), isEnabled: always, perform: () => openPalette({ from: chosen().at(-1)?.id ?? lastCard() }) },
  { name: 'run', label: 'edit.run', icon: Play, keys: 'Mod+Enter', isKey: (event) => mod(event) && event.key === 'Enter', isEnabled: always, perform: (context) => context.run() },
  { name: 'undo', label: 'edit.undo', icon: Undo2, keys: 'Mod+Z', isKey: with_('z'), isEnabled: () => useEditor.getState().past.length > 0, perform: undo },
  { name: 'redo', label: 'edit.redo', icon: Redo2, keys: 'Mod+Shift+Z', isKey: (event) => (mod(event) && event.shiftKey && event.key.toLowerCase() === 'z') || with_('y')(event), isEnabled: () => useEditor.getState().future.length > 0, perform: redo },
  { name: 'tidy', label: 'edit.tidy', icon: WandSparkles, keys: 'Shift+Alt+T', isKey: (event) => event.shiftKey && event.altKey && event.code === 'KeyT', isEnabled: always, perform: (context) => { const { nodes, edges } = useEditor.getState(); place(tidy(nodes, edges)); context.fit(); } },
  { name: 'fit', label: 'edit.fit', icon: Maximize, keys: '1', isKey: plain('1'), isEnabled: always, perform: (context) => context.fit() },
  { name: 'connect', label: 'edit.connect', icon: Spline, keys: 'C', isKey: plain('c'), isEnabled: () => chosen().length === 1, perform: (context) => context.connectTo(chosen()[0]!.id) },
  { name: 'copy', label: 'edit.copy', icon: Copy, keys: 'Mod+C', isKey: with_('c'), isEnabled: hasChosen, perform: async (context) => { await toClipboard(context); } },
  { name: 'cut', label: 'edit.cut', icon: Scissors, keys: 'Mod+X', isKey: with_('x'), isEnabled: hasChosen, perform: async (context) => { if (await toClipboard(context)) remove(context); } },
  { name: 'paste', label: 'edit.paste', icon: ClipboardPaste, keys: 'Mod+V', isKey: with_('v'), isEnabled: always, perform: async ({ say }) => {
    const steps = readSteps(await navigator.clipboard.readText().catch(() => ''), shapeOf);
    if (steps) paste(steps);
    else toast(say('edit.cannotPaste'));
  } },
  { name: 'duplicate', label: 'edit.duplicate', icon: CopyPlus, keys: 'Mod+D', isKey: with_('d'), isEnabled: hasChosen, perform: () => { const steps = readSteps(copied(useEditor.getState()), shapeOf); if (steps) paste(steps); } },
  { name: 'disable', label: 'edit.disable', icon: EyeOff, keys: 'D', isKey: plain('d'), isEnabled: hasChosen, perform: () => { for (const each of chosen()) patchNode(each.id, { disabled: each.data.spec.disabled ? undefined : true }, 'disabled'); } },
  { name: 'remove', label: 'edit.remove', icon: Trash2, keys: 'Del', isKey: (event) => event.key === 'Delete' || event.key === 'Backspace', isEnabled: () => hasChosen() || useEditor.getState().edges.some((each) => each.selected), perform: remove },
  { name: 'selectAll', label: 'edit.selectAll', icon: MousePointer2, keys: 'Mod+A', isKey: with_('a'), isEnabled: always, perform: () => choose(useEditor.getState().nodes.map((each) => each.id)) },
];

/** The card at the end of the way: where a step goes that nothing else was chosen for. */
function lastCard(): string | undefined {
  const { nodes, edges } = useEditor.getState();
  const ends = nodes.filter((each) => !edges.some((edge) => edge.source === each.id));
  return ends.sort((one, two) => two.position.x - one.position.x)[0]?.id;
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || !!target.closest('[role="dialog"]'));
}
/** As this machine writes a shortcut. */
export const keysShown = (keys: string): string => keys.replace('Mod', isMac ? '⌘' : 'Ctrl');
