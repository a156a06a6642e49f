import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type ReactNode } from 'react';

interface Props {
  label: string;
  role: 'list' | 'table';
  count: number;
  /** Height of a row in pixels, about. */
  rowPx: number;
  /** Whether every row is just so high: none is measured, which costs with each that comes into view. */
  isEven?: boolean;
  row: (index: number) => ReactNode;
  head?: ReactNode;
  /** Called when the last rows come near. */
  onEnd?: () => void;
  className?: string;
}


/** Many rows, of which only those in view are drawn; a row may grow when it is opened. */
export function VirtualRows({ label, role, count, rowPx, isEven, row, head, onEnd, className }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count, getScrollElement: () => box.current, estimateSize: () => rowPx, overscan: isEven ? 4 : 12, initialRect: { width: 900, height: 600 } });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (count && last >= count - 30) onEnd?.();
  }, [last, count, onEnd]);
  return (
    <div ref={box} role={role} aria-label={label} aria-rowcount={role === 'table' ? count : undefined} tabIndex={0} className={`h-full overflow-y-auto ${className ?? ''}`} data-testid="rows">
      {head}
      <div role={role === 'table' ? 'rowgroup' : 'presentation'} style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {shown.map((each) => (
          <div key={each.key} ref={isEven ? undefined : rows.measureElement} data-index={each.index} role={role === 'table' ? 'row' : 'listitem'} aria-rowindex={role === 'table' ? each.index + 1 : undefined} aria-setsize={role === 'list' ? count : undefined} aria-posinset={role === 'list' ? each.index + 1 : undefined} style={{ position: 'absolute', insetInline: 0, top: 0, ...(isEven && { height: rowPx }), transform: `translateY(${each.start}px)` }}>
            {row(each.index)}
          </div>
        ))}
      </div>
    </div>
  );
}
