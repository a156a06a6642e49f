/** Copy, cut, paste, duplicate: through the system's clipboard, as JSON that people can read. */
import { ClipboardPaste, Copy, CopyPlus, Scissors } from 'lucide-react';
import { toast } from 'sonner';
import { call } from '../../api/client';
import { shapeOf } from '../../canvas/shapes';
import { copied, HIDDEN, n8nOf, readSteps } from '../../graph/clipboard';
import type { Spec } from '../../graph/spec';
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
export async function pasteText(text: string, { say, announce, middle }: Context): Promise<void> {
  const isOurs = text === last.text;
  const theirs = n8nOf(text);
  const at = isOurs ? undefined : middle();
  try {
    const read = theirs ? await readN8n(theirs) : { spec: isOurs ? last.whole : text, notes: [] };
    const steps = readSteps(read.spec, shapeOf);
    if (!steps) {
      toast(say('edit.cannotPaste'));
      return;
    }
    paste(steps, at);
    announce(say('voice.pasted', { count: steps.nodes.length }));
    if (theirs) toast(say('edit.pastedN8n', { count: steps.nodes.length }), read.notes.length ? { description: read.notes.join('\n'), duration: LONG_MS, closeButton: true, classNames: { description: 'whitespace-pre-line max-h-72 overflow-y-auto' } } : {});
  } catch (error) {
    toast.error(error instanceof Error ? error.message : String(error));
  }
}

/** How long the notes stay, unless they are closed. */
const LONG_MS = 60_000;
interface Read {
  spec: Spec;
  notes: { code: string; message: string; nodeId: string | null }[];
  error: string | null;
}
/** Have the server read what n8n copied, as it reads files: one mapping for both. A trigger that it adds stays away. */
async function readN8n(found: object): Promise<{ spec: string; notes: string[] }> {
  const answer = await call('POST /workflows/import', { query: { dry_run: true }, body: found });
  const { spec, notes, error } = answer.workflows[0] as unknown as Read;
  if (error) throw new Error(error);
  const added = notes.find((each) => each.code === 'TRIGGER_ADDED')?.nodeId;
  const { trigger, nodes = [], edges = [], canvas } = spec;
  return {
    spec: JSON.stringify({ nodes: [trigger, ...nodes].filter((each) => each.id !== added), edges: edges.filter((each) => each.source !== added), canvas }),
    notes: notes.filter((each) => each.code !== 'TRIGGER_ADDED').map((each) => (each.nodeId ? `${each.nodeId}: ${each.message}` : each.message)),
  };
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
