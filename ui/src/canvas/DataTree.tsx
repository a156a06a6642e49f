import { ChevronRight, GripVertical } from 'lucide-react';
import { useState } from 'react';
import type { ScopeField } from '../graph/paths';
import { useWords } from '../i18n';
import { classes } from '../kit/classes';

interface Props {
  field: ScopeField;
  label: string;
  depth?: number;
  /** Makes the fields draggable, and lets them be chosen. */
  onPick?: (path: string) => void;
  onDrag?: (event: React.DragEvent, path: string) => void;
}

/** What data is like, as a tree: names, types, samples. */
export function DataTree({ field, label, depth = 1, ...rest }: Props) {
  return <ul aria-label={label} className="font-mono text-xs"><Branch field={{ ...field, name: field.name ?? label }} depth={depth} {...rest} /></ul>;
}

function Branch({ field, depth, onPick, onDrag }: Omit<Props, 'label'> & { depth: number }) {
  const { say } = useWords();
  const fields = field.fields ?? [];
  const name = <span className="font-medium text-ink">{field.name}</span>;
  const about = <><span className="ml-1.5 text-faint">{field.type}{field.count == null ? '' : ` ${field.count}`}</span>{field.sample != null && <span className="ml-1.5 text-soft">{field.sample}</span>}</>;
  const row = onPick ? (
    <button type="button" draggable title={field.path} className="group inline-flex min-w-0 max-w-full items-center rounded px-0.5 text-left hover:bg-accent-soft" onClick={() => onPick(field.path)} onDragStart={(event) => onDrag?.(event, field.path)}>
      <GripVertical size={10} aria-hidden className="mr-0.5 shrink-0 text-line-strong group-hover:text-accent-text" />
      <span className="truncate">{name}{about}</span>
    </button>
  ) : <span className="truncate">{name}{about}</span>;
  const [isOpen, setOpen] = useState(depth > 0);
  if (!fields.length) return <li className="flex min-w-0 py-px pl-4">{row}</li>;
  return (
    <li>
      <div className="flex min-w-0 items-center py-px">
        <button type="button" aria-expanded={isOpen} aria-label={say('data.open', { name: field.name })} className="grid size-4 shrink-0 place-items-center rounded text-faint hover:bg-sunk" onClick={() => setOpen(!isOpen)}>
          <ChevronRight size={11} aria-hidden className={classes('transition-transform', isOpen && 'rotate-90')} />
        </button>
        {row}
      </div>
      {isOpen && <ul className="ml-1.5 border-l border-line pl-1.5">{fields.map((each, index) => <Branch key={`${each.path}:${index}`} field={each} depth={depth - 1} onPick={onPick} onDrag={onDrag} />)}</ul>}
    </li>
  );
}
