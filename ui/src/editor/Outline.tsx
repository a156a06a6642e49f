import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import { useMarks } from '../canvas/marks';
import { useRuns } from '../canvas/runs';
import { typeOf } from '../canvas/shapes';
import { found } from '../graph/search';
import { graphOrder } from '../graph/walk';
import { useWords, worded } from '../i18n';
import { Dialog } from '../kit/Dialog';
import { Input } from '../kit/Field';
import { nameOf } from './actions';
import { useEditor } from './store';

const ROW_PX = 44;

/** The graph as a list in the order of its lines: to find a step, and for who does not see the canvas. */
export function Outline({ onClose, onNode }: { onClose: () => void; onNode: (id: string) => void }) {
  const { say } = useWords();
  const { nodes, edges } = useEditor.getState();
  const [query, setQuery] = useState('');
  const runs = useRuns((state) => state.seen.byNode);
  const marks = useMarks((state) => state.byNode);
  const box = useRef<HTMLDivElement>(null);
  const list = useMemo(() => {
    const byId = new Map(nodes.map((each) => [each.id, each]));
    const sorted = graphOrder(nodes, edges).map((id) => byId.get(id)!);
    return found(sorted, query, ({ id, data: { spec } }) => ({ title: spec.label || typeOf(spec.type)?.title || spec.type, aliases: [id, spec.type, typeOf(spec.type)?.title ?? ''] }));
  }, [nodes, edges, query]);
  const rows = useVirtualizer({ count: list.length, getScrollElement: () => box.current, estimateSize: () => ROW_PX, overscan: 8, initialRect: { width: 600, height: 420 } });
  return (
    <Dialog title={say('edit.outline')} about={say('outline.about', { count: nodes.length })} isOpen onClose={onClose} closeLabel={say('app.close')}>
      <Input autoFocus type="search" aria-label={say('outline.find')} placeholder={say('outline.find')} value={query} onChange={(event) => setQuery(event.target.value)} onKeyDown={(event) => { if (event.key === 'Enter' && list[0]) { event.preventDefault(); onNode(list[0].id); } }} />
      <div ref={box} className="mt-2 max-h-[50vh] overflow-y-auto">
        <ol aria-label={say('edit.outline')} style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const { id, data: { spec } } = list[index]!;
            const after = edges.filter((each) => each.source === id).map((each) => nameOf(each.target));
            const run = runs[id];
            return (
              <li key={id} aria-setsize={list.length} aria-posinset={index + 1} className="absolute inset-x-0" style={{ top: start, height: ROW_PX }}>
                <button type="button" onClick={() => onNode(id)} className="flex w-full flex-col rounded-md px-2 py-1 text-left hover:bg-sunk">
                  <span className="flex w-full items-center gap-2 text-[13px] font-medium"><span className="min-w-0 flex-1 truncate">{spec.label || typeOf(spec.type)?.title || id}</span>{run && <span className="text-xs text-soft">{worded(say, `status.${run.status}`, run.status)}</span>}</span>
                  <span className="w-full truncate text-xs text-soft">{marks[id]?.message ?? (after.length ? say('outline.after', { names: after.join(', ') }) : say('outline.end'))}</span>
                </button>
              </li>
            );
          })}
        </ol>
      </div>
    </Dialog>
  );
}
