import { useQuery } from '@tanstack/react-query';
import { Braces, ChevronLeft, ChevronRight, Download, ListTree, Search, Table2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import { toast } from 'sonner';
import { fetchBlob } from '../api/client';
import { outputPart, outputSchema } from '../api/data';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Input } from '../kit/Field';
import { Failed, Loading } from '../kit/Page';
import { JsonView } from '../kit/JsonView';
import { DataTable } from './DataTable';
import { DataTree } from './DataTree';

const LIMIT = 100;
const QUIET_MS = 250;
const KEY = 'linkflow.data';
type Mode = 'table' | 'json' | 'schema';
const MODES = [['table', Table2], ['json', Braces], ['schema', ListTree]] as const;

/** What a step said, a page at a time: as a table, as JSON, as its schema; searched and downloaded. */
export function Output({ executionId, nodeKey, seq }: { executionId: string; nodeKey: string; seq: number }) {
  const { say, language } = useWords();
  const [path, setPath] = useState<string[]>([]);
  const [typed, setTyped] = useState('');
  const [q, setQ] = useState('');
  const [offset, setOffset] = useState(0);
  const [wanted, setWanted] = useState(() => localStorage.getItem(KEY) as Mode | null);
  useEffect(() => {
    const timer = window.setTimeout(() => { setQ(typed); setOffset(0); }, typed ? QUIET_MS : 0);
    return () => clearTimeout(timer);
  }, [typed]);
  const found = useQuery(outputPart({ executionId, key: nodeKey, seq, path, q, offset, limit: LIMIT }));
  const page = found.data;
  const mode: Mode = wanted ?? (page?.kind === 'list' && isRows(page.output) ? 'table' : 'json');
  const schema = useQuery({ ...outputSchema(executionId, nodeKey, seq, path), enabled: mode === 'schema' });
  const go = (next: string[]) => { setPath(next); setOffset(0); setTyped(''); setQ(''); };
  const choose = (next: Mode) => { setWanted(next); localStorage.setItem(KEY, next); };
  const download = () => fetchBlob(`/executions/${executionId}/nodes/${encodeURIComponent(nodeKey)}/output?view=whole`).then((blob) => saveAs(blob, `${nodeKey}.json`)).catch((error: Error) => toast.error(error.message));
  if (found.isPending) return <Loading label={say('app.loading')} />;
  if (found.isError) return <Failed title={say('app.failed')} error={found.error} again={() => void found.refetch()} againLabel={say('app.again')} />;
  if (!page) return null;
  const count = page.count ?? 0;
  const isPaged = count > LIMIT && page.kind !== 'value';
  return (
    <section aria-label={say('data.title')} className="flex min-h-0 flex-col gap-2" data-testid="data">
      <div className="flex flex-wrap items-center gap-1.5">
        <div role="group" aria-label={say('data.views')} className="flex rounded-lg border border-line p-0.5">
          {MODES.map(([each, Icon]) => <button key={each} type="button" aria-pressed={mode === each} onClick={() => choose(each)} className={classes('inline-flex items-center gap-1 rounded-md px-1.5 py-0.5 text-xs', mode === each ? 'bg-accent-soft text-accent-text' : 'text-soft hover:bg-sunk')}><Icon size={12} aria-hidden />{say(`data.${each}`)}</button>)}
        </div>
        <label className="relative min-w-24 flex-1">
          <Search size={12} aria-hidden className="pointer-events-none absolute top-2 left-2 text-faint" />
          <Input aria-label={say('data.search')} placeholder={say('data.search')} className="!py-1 !pl-6.5 !text-xs" value={typed} onChange={(event) => setTyped(event.target.value)} />
        </label>
        <Button look="quiet" aria-label={say('data.download')} title={say('data.download')} icon={<Download size={14} aria-hidden />} onClick={() => void download()} />
      </div>
      {path.length > 0 && (
        <nav aria-label={say('data.path')} className="flex flex-wrap items-center gap-1 font-mono text-xs">
          <button type="button" className="text-accent-text hover:underline" onClick={() => go([])}>output</button>
          {path.map((each, index) => <span key={index}>› <button type="button" className="text-accent-text hover:underline" onClick={() => go(path.slice(0, index + 1))}>{each}</button></span>)}
        </nav>
      )}
      {page.is_cut && mode !== 'schema' && <p className="rounded-md bg-warn-soft px-2 py-1 text-xs text-warn">{say('data.cut')}</p>}
      {q && count === 0 && <p className="text-xs text-faint">{say('data.nothing', { words: q })}</p>}
      {mode === 'schema' ? (schema.data ? <DataTree field={schema.data.schema} label={say('data.schema')} /> : <Loading label={say('app.loading')} />)
        : mode === 'table' ? <DataTable value={page.output} indexes={page.indexes ?? undefined} offset={offset} label={say('execution.output')} onOpen={(steps) => go([...path, ...steps])} />
          : <><Parts value={page.output} onOpen={(step) => go([...path, step])} /><JsonView value={page.output} label={say('execution.output')} /></>}
      {isPaged && mode !== 'schema' && (
        <div className="flex items-center justify-between text-xs text-soft">
          <Button look="quiet" aria-label={say('data.before')} disabled={offset === 0} icon={<ChevronLeft size={14} aria-hidden />} onClick={() => setOffset(Math.max(0, offset - LIMIT))} />
          <span data-testid="range">{say('data.range', { from: (offset + 1).toLocaleString(language), to: Math.min(count, offset + LIMIT).toLocaleString(language), count: count.toLocaleString(language) })}</span>
          <Button look="quiet" aria-label={say('data.after')} disabled={offset + LIMIT >= count} icon={<ChevronRight size={14} aria-hidden />} onClick={() => setOffset(offset + LIMIT)} />
        </div>
      )}
    </section>
  );
}

/** The large parts of an object, to look into one by one. */
function Parts({ value, onOpen }: { value: unknown; onOpen: (step: string) => void }) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const large = Object.entries(value).filter(([, each]) => (Array.isArray(each) ? each.length > 20 : typeof each === 'object' && each !== null && Object.keys(each).length > 20));
  if (!large.length) return null;
  return <div className="flex flex-wrap gap-1.5">{large.slice(0, 20).map(([name]) => <button key={name} type="button" className="rounded-md border border-line px-1.5 font-mono text-xs text-accent-text hover:bg-sunk" onClick={() => onOpen(name)}>{name} ›</button>)}</div>;
}

function isRows(value: unknown): boolean {
  return Array.isArray(value) && value.some((each) => typeof each === 'object' && each !== null && !Array.isArray(each));
}

function saveAs(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
