import { NodeResizer, type Node, type NodeProps } from '@xyflow/react';
import { Trash2 } from 'lucide-react';
import { memo, useContext, useEffect, useRef, useState } from 'react';
import { NOTE_ID } from '../graph/shown';
import type { NoteNode } from '../graph/spec';
import { useWords, worded } from '../i18n';
import { classes } from '../kit/classes';
import { Markdown } from '../kit/Markdown';
import { EditingContext } from './editing';

const COLOURS: Record<string, string> = {
  yellow: 'bg-amber-100 border-amber-300 dark:bg-amber-950 dark:border-amber-800', green: 'bg-emerald-100 border-emerald-300 dark:bg-emerald-950 dark:border-emerald-800',
  blue: 'bg-sky-100 border-sky-300 dark:bg-sky-950 dark:border-sky-800', red: 'bg-rose-100 border-rose-300 dark:bg-rose-950 dark:border-rose-800', grey: 'bg-sunk border-line-strong',
};
type Props = NodeProps<Node<NoteNode['data'], 'note'>>;

/** A text for people: Markdown, written by a double click or Enter. */
export const NoteView = memo(function NoteView({ id, data, selected }: Props) {
  const { say } = useWords();
  const editing = useContext(EditingContext);
  const [isWriting, setWriting] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const own = id.slice(NOTE_ID.length);
  useEffect(() => {
    const node = frame.current?.closest<HTMLElement>('.react-flow__node');
    if (!node || !editing) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || event.target !== node) return;
      event.preventDefault();
      event.stopPropagation();
      setWriting(true);
    };
    node.addEventListener('keydown', onKey);
    return () => node.removeEventListener('keydown', onKey);
  }, [editing]);
  return (
    <div ref={frame} data-testid={`note-${own}`} onDoubleClick={() => editing && setWriting(true)} className={classes('h-full w-full overflow-hidden rounded-lg border p-3 text-[13px] text-ink shadow-[var(--shadow)]', COLOURS[data.colour] ?? COLOURS.yellow, selected && 'ring-3 ring-accent/25')}>
      {editing && <NodeResizer isVisible={selected} minWidth={120} minHeight={60} />}
      {isWriting && editing ? (
        <textarea autoFocus aria-label={say('note.text')} className="nodrag nowheel h-full w-full resize-none bg-transparent outline-none" value={data.text} onChange={(event) => editing.patchNote(own, { text: event.target.value })}
          onBlur={() => setWriting(false)} onKeyDown={(event) => { if (event.key === 'Escape') { event.stopPropagation(); setWriting(false); frame.current?.closest<HTMLElement>('.react-flow__node')?.focus(); } }} />
      ) : data.text ? <Markdown text={data.text} className="flex flex-col gap-1.5 break-words" /> : <p className="text-soft">{say(editing ? 'note.empty' : 'note.none')}</p>}
      {selected && editing && (
        <div className="nodrag absolute -top-9 left-0 flex items-center gap-1 rounded-lg border border-line bg-raised p-1 shadow-[var(--shadow)]">
          {editing.colours.map((each) => <button key={each} type="button" aria-pressed={each === data.colour} aria-label={worded(say, `note.${each}`, each)} onClick={() => editing.patchNote(own, { colour: each })} className={classes('size-5 rounded-full border', COLOURS[each], each === data.colour && 'ring-2 ring-accent')} />)}
          <button type="button" aria-label={say('edit.remove')} onClick={() => editing.removeNote(own)} className="grid size-5 place-items-center text-soft hover:text-bad"><Trash2 size={13} aria-hidden /></button>
        </div>
      )}
    </div>
  );
});
