/** Copy, cut, paste, duplicate: through the system's clipboard, as JSON that people can read. */
import { ClipboardPaste, Copy, CopyPlus, Scissors } from 'lucide-react';
import { toast } from 'sonner';
import { shapeOf } from '../../canvas/shapes';
import { copied, HIDDEN, readSteps } from '../../graph/clipboard';
import { paste, removeSelected, useEditor } from '../store';
import { always, hasAny, type Action, type Context } from './action';

/** What was copied here last: its text, and the same with what the clipboard must not have. */
let last = { text: '', whole: '' };

/** Write what is chosen; null when that is nothing. */
export function textOfChosen({ say }: Context): string | null {
  const doc = useEditor.getState();
  if (!hasAny()) return null;
  last = { text: copied(doc), whole: copied(doc, true) };
  const count = (JSON.parse(last.text) as { nodes: unknown[] }).nodes.length;
  toast(say('edit.copiedMany', { count }) + (last.text.includes(`"${HIDDEN}"`) ? ` ${say('edit.copiedBare')}` : ''));
  return last.text;
}
export function pasteText(text: string, { say, announce, middle }: Context): void {
  const isOurs = text === last.text;
  const steps = readSteps(isOurs ? last.whole : text, shapeOf);
  if (!steps) {
    toast(say('edit.cannotPaste'));
    return;
  }
  paste(steps, isOurs ? undefined : middle());
  announce(say('voice.pasted', { count: steps.nodes.length }));
  if (steps.foreign) toast(say('edit.pastedN8n', { count: steps.nodes.length }) + (steps.foreign.length ? ` ${say('edit.pastedLoss', { what: steps.foreign.join(', ') })}` : ''));
}
export function cutChosen({ say }: Context): void {
  if (removeSelected()) toast(say('edit.keepTrigger'));
}

/** Without the clipboard's own interface (a page that came without TLS), the browser's copy and paste events do the same. */
export const hasClipboard = (): boolean => !!navigator.clipboard;

async function copy(context: Context): Promise<boolean> {
  const text = textOfChosen(context);
  if (text === null) return false;
  await navigator.clipboard.writeText(text);
  return true;
}

export const CLIPBOARD: readonly Action[] = [
  { name: 'copy', label: 'edit.copy', icon: Copy, part: 'edit', keys: ['Mod+C'], isEnabled: hasAny, perform: async (context) => void (await copy(context)) },
  { name: 'cut', label: 'edit.cut', icon: Scissors, part: 'edit', keys: ['Mod+X'], isEnabled: hasAny, perform: async (context) => { if (await copy(context)) cutChosen(context); } },
  { name: 'paste', label: 'edit.paste', icon: ClipboardPaste, part: 'edit', keys: ['Mod+V'], isEnabled: always, perform: async (context) => pasteText(await navigator.clipboard.readText().catch(() => ''), context) },
  {
    name: 'duplicate', label: 'edit.duplicate', icon: CopyPlus, part: 'edit', keys: ['Mod+D'], isEnabled: hasAny,
    perform: ({ say, announce }) => {
      const steps = readSteps(copied(useEditor.getState(), true), shapeOf);
      if (steps) paste(steps);
      announce(say('voice.pasted', { count: steps?.nodes.length ?? 0 }));
    },
  },
];
