import { GripVertical } from 'lucide-react';
import { classes } from '../kit/classes';
import type { ScopeField } from '../graph/paths';

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
  const fields = field.fields ?? [];
  const name = <span className="font-medium text-ink">{field.name}</span>;
  const about = <><span className="ml-1.5 text-faint">{field.type}{field.count == null ? '' : ` ${field.count}`}</span>{field.sample != null && <span className="ml-1.5 text-soft">{field.sample}</span>}</>;
  const row = onPick ? (
    <button type="button" draggable title={field.path} className="group inline-flex min-w-0 max-w-full items-center rounded px-0.5 text-left hover:bg-accent-soft" onClick={() => onPick(field.path)} onDragStart={(event) => onDrag?.(event, field.path)}>
      <GripVertical size={10} aria-hidden className="mr-0.5 shrink-0 text-line-strong group-hover:text-accent-text" />
      <span className="truncate">{name}{about}</span>
    </button>
  ) : <span className="truncate">{name}{about}</span>;
  if (!fields.length) return <li className="flex min-w-0 py-px pl-4">{row}</li>;
  return (
    <li>
      <details open={depth > 0}>
        <summary className="cursor-default py-px marker:text-faint"><span className="inline-flex max-w-[calc(100%-1rem)] min-w-0 align-bottom">{row}</span></summary>
        <ul className={classes('ml-1.5 border-l border-line pl-1.5')}>{fields.map((each, index) => <Branch key={`${each.path}:${index}`} field={each} depth={depth - 1} onPick={onPick} onDrag={onDrag} />)}</ul>
      </details>
    </li>
  );
}
