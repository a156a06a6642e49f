import { useWords } from '../i18n';

const COLUMNS = 30;
const CELL = 120;

interface Props {
  value: unknown;
  /** Where the rows stand, when only some are shown. */
  indexes?: number[];
  offset: number;
  label: string;
  onOpen: (steps: string[]) => void;
}

/** A page of data as a table: objects of a list by their keys, an object by its members; what is nested opens. */
export function DataTable({ value, indexes, offset, label, onOpen }: Props) {
  const { say } = useWords();
  const isList = Array.isArray(value);
  const rows: [string, unknown][] = isList ? value.map((each, index) => [String(indexes?.[index] ?? offset + index), each]) : isObject(value) ? Object.entries(value) : [['', value]];
  const columns = isList ? [...new Set(value.flatMap((each) => (isObject(each) ? Object.keys(each) : [])))].slice(0, COLUMNS) : [];
  return (
    <div tabIndex={0} role="region" aria-label={label} className="max-h-[60vh] overflow-auto rounded-lg border border-line">
      <table className="w-full border-collapse text-left text-xs">
        <thead className="sticky top-0 bg-sunk">
          <tr>
            <th scope="col" className="px-2 py-1 font-medium text-faint">{isList ? '#' : say('data.name')}</th>
            {columns.length ? columns.map((each) => <th key={each} scope="col" className="px-2 py-1 font-medium whitespace-nowrap">{each}</th>) : <th scope="col" className="px-2 py-1 font-medium">{say('data.value')}</th>}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map(([at, each]) => (
            <tr key={at} className="align-top hover:bg-sunk">
              <th scope="row" className="px-2 py-1 font-mono font-normal text-faint">{at}</th>
              {columns.length ? columns.map((name) => <td key={name} className="px-2 py-1 font-mono"><Cell value={isObject(each) ? each[name] : undefined} onOpen={() => onOpen([at, name])} /></td>) : <td className="px-2 py-1 font-mono"><Cell value={each} onOpen={() => onOpen([at])} /></td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ value, onOpen }: { value: unknown; onOpen: () => void }) {
  if (value === undefined) return null;
  if (Array.isArray(value) || isObject(value)) {
    const size = Array.isArray(value) ? `[${value.length}]` : `{${Object.keys(value).length}}`;
    return <button type="button" className="text-accent-text hover:underline" onClick={onOpen}>{size} ›</button>;
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > CELL ? <button type="button" className="text-left break-words hover:underline" title={text.slice(0, 1000)} onClick={onOpen}>{text.slice(0, CELL)}…</button> : <span className="break-words">{text}</span>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
