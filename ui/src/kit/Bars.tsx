import { classes } from './classes';

export type Tone = 'good' | 'bad' | 'info' | 'plain';
const FILLS: Record<Tone, string> = { good: 'fill-good', bad: 'fill-bad', info: 'fill-accent', plain: 'fill-line-strong' };
const DOTS: Record<Tone, string> = { good: 'bg-good', bad: 'bg-bad', info: 'bg-accent', plain: 'bg-line-strong' };
const WIDTH = 720;
const HEIGHT = 160;
const MARKS = 6;

export interface Column {
  key: string;
  label: string;
  parts: { tone: Tone; value: number }[];
}

/** Stacked bars; what they show is also a table, for those who cannot see them. */
export function Bars({ title, columns, legend }: { title: string; columns: Column[]; legend: { tone: Tone; label: string }[] }) {
  const sum = (each: Column) => each.parts.reduce((all, part) => all + part.value, 0);
  const top = Math.max(1, ...columns.map(sum));
  const step = WIDTH / Math.max(1, columns.length);
  const wide = Math.max(1, Math.min(48, step * 0.72));
  const every = Math.max(1, Math.ceil(columns.length / MARKS));
  return (
    <figure className="m-0">
      <div className="mb-2 flex flex-wrap items-center gap-3 text-xs text-soft" aria-hidden>
        {legend.map((each) => <span key={each.label} className="inline-flex items-center gap-1.5"><span className={classes('size-2.5 rounded-sm', DOTS[each.tone])} />{each.label}</span>)}
        <span className="ml-auto tabular-nums">max {top}</span>
      </div>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 18}`} className="w-full" aria-hidden>
        {[0.25, 0.5, 0.75, 1].map((each) => <line key={each} x1="0" x2={WIDTH} y1={HEIGHT * (1 - each) + 0.5} y2={HEIGHT * (1 - each) + 0.5} className="stroke-line" />)}
        {columns.map((column, at) => {
          let y = HEIGHT;
          return (
            <g key={column.key}>
              {column.parts.map((part) => {
                const high = (part.value / top) * (HEIGHT - 4);
                y -= high;
                return part.value > 0 && <rect key={part.tone} x={at * step + (step - wide) / 2} y={y} width={wide} height={Math.max(1, high)} rx="1.5" className={FILLS[part.tone]}><title>{`${column.label}: ${part.value}`}</title></rect>;
              })}
              {at % every === 0 && <text x={at * step + step / 2} y={HEIGHT + 14} textAnchor="middle" className="fill-faint text-[11px]">{column.label}</text>}
            </g>
          );
        })}
        <line x1="0" x2={WIDTH} y1={HEIGHT + 0.5} y2={HEIGHT + 0.5} className="stroke-line-strong" />
      </svg>
      <table className="sr-only">
        <caption>{title}</caption>
        <thead><tr><td />{legend.map((each) => <th key={each.label} scope="col">{each.label}</th>)}</tr></thead>
        <tbody>{columns.map((each) => <tr key={each.key}><th scope="row">{each.label}</th>{each.parts.map((part) => <td key={part.tone}>{part.value}</td>)}</tr>)}</tbody>
      </table>
    </figure>
  );
}
