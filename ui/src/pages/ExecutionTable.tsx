import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import type { ExecutionLine } from '../api/schema.gen';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Status } from '../kit/Status';
import { absolute, ago, duration } from '../kit/time';
import { useAct } from './Listing';

const ROW_PX = 52;
const AHEAD = 12;
const AT_ONCE = 200; // as many as the server takes in one request
const OPEN = ['running', 'waiting', 'queued'];

interface Props {
  rows: ExecutionLine[];
  names: Map<string, string>;
  hasMore: boolean;
  isFetching: boolean;
  more: () => void;
}

/** As many rows as fit the window are drawn; the list may be any length. J and K walk, X chooses. */
export function ExecutionTable({ rows, names, hasMore, isFetching, more }: Props) {
  const { say } = useWords();
  const may = useMay();
  const frame = useRef<HTMLDivElement>(null);
  const scroll = useRef<HTMLElement | null>(null);
  const [offset, setOffset] = useState(0);
  const [at, setAt] = useState(-1);
  const here = useRef(-1); // what keys count from, however quickly they come
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useLayoutEffect(() => {
    scroll.current = document.getElementById('content');
    const top = scroll.current?.getBoundingClientRect().top ?? 0;
    setOffset((frame.current?.getBoundingClientRect().top ?? 0) - top + (scroll.current?.scrollTop ?? 0));
  }, []);
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => ROW_PX, overscan: AHEAD, scrollMargin: offset, getItemKey: (index) => rows[index]!.id });
  const drawn = list.getVirtualItems();
  const lastDrawn = drawn.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !isFetching && lastDrawn >= rows.length - AHEAD) more();
  }, [hasMore, isFetching, lastDrawn, rows.length, more]);

  // What is put before what one looks at moves the window along, so that nothing jumps.
  const before = useRef(rows);
  useLayoutEffect(() => {
    const first = before.current[0]?.id;
    const added = first === rows[0]?.id ? 0 : rows.findIndex((each) => each.id === first);
    before.current = rows;
    if (added <= 0) return;
    if (scroll.current && scroll.current.scrollTop > offset) scroll.current.scrollTop += added * ROW_PX;
    if (here.current >= 0) setAt((here.current += added));
  }, [rows, offset]);

  const link = (index: number) => frame.current?.querySelector<HTMLElement>(`[data-index="${index}"] a`);
  const focus = (index: number) => {
    setAt((here.current = index));
    list.scrollToIndex(index);
    requestAnimationFrame(() => here.current === index && link(index)?.focus({ preventScroll: true }));
  };
  const flip = (id: string) => setChosen((old) => {
    const next = new Set(old);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || (event.target instanceof HTMLElement && event.target.matches('input:not([type=checkbox]), select, textarea'))) return;
      const index = here.current;
      const row = rows[index];
      if (event.key === 'j' && index < rows.length - 1) focus(index + 1);
      else if (event.key === 'k' && index > 0) focus(index - 1);
      else if (event.key === 'x' && row) flip(row.id);
      else if (event.key === 'Enter' && row && (event.target === document.body || (event.target instanceof HTMLElement && event.target.matches('a') && frame.current?.contains(event.target)))) {
        event.preventDefault(); // the row is opened also before the focus has come to its link
        link(index)?.click();
      }
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  });

  const picked = rows.filter((each) => chosen.has(each.id));
  const isAll = picked.length === rows.length && rows.length > 0;
  const padTop = (drawn[0]?.start ?? offset) - offset;
  const padBottom = list.getTotalSize() - ((drawn.at(-1)?.end ?? offset) - offset);
  const head = [say('executions.status'), say('executions.workflow'), say('executions.started'), say('executions.duration'), say('executions.trigger')];
  return (
    <>
      <div className="mb-2 flex min-h-8 flex-wrap items-center gap-2 text-xs text-faint">
        {picked.length > 0 ? (
          <>
            <span className="font-medium text-ink">{say('runs.selected', { n: picked.length })}</span>
            {may('execution.cancel') && <Bulk kind="cancel" rows={picked.filter((each) => OPEN.includes(each.status))} onDone={() => setChosen(new Set())} />}
            {may('execution.retry') && <Bulk kind="retry" rows={picked.filter((each) => !OPEN.includes(each.status))} onDone={() => setChosen(new Set())} />}
            <Button look="quiet" onClick={() => setChosen(new Set())}>{say('runs.none')}</Button>
          </>
        ) : <span>{say(hasMore ? 'runs.loadedMore' : 'runs.loaded', { n: rows.length })} · {say('runs.keys')}</span>}
      </div>
      <div ref={frame} className="overflow-x-auto rounded-xl border border-line bg-surface shadow-[var(--shadow)]">
        <table className="w-full min-w-[46rem] table-fixed text-left text-[13px]" aria-label={say('executions.title')} aria-rowcount={hasMore ? -1 : rows.length + 1}>
          <colgroup><col className="w-10" /><col className="w-36" /><col /><col className="w-32" /><col className="w-28" /><col className="w-36" /></colgroup>
          <thead>
            <tr className="border-b border-line text-xs text-faint">
              <th scope="col" className="pl-4"><input type="checkbox" aria-label={say('runs.selectAll')} checked={isAll} onChange={() => setChosen(isAll ? new Set() : new Set(rows.map((each) => each.id)))} /></th>
              {head.map((each) => <th key={each} scope="col" className="px-4 py-2.5 font-medium">{each}</th>)}
            </tr>
          </thead>
          <tbody>
            {padTop > 0 && <tr aria-hidden style={{ height: padTop }}><td colSpan={6} /></tr>}
            {drawn.map(({ index }) => {
              const row = rows[index]!;
              return <Row key={row.id} row={row} index={index} name={names.get(row.workflow_id) ?? row.workflow_id.slice(0, 13)} isAt={index === at} isChosen={chosen.has(row.id)} onChoose={() => flip(row.id)} onFocus={() => setAt((here.current = index))} />;
            })}
            {padBottom > 0 && <tr aria-hidden style={{ height: padBottom }}><td colSpan={6} /></tr>}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Row({ row, index, name, isAt, isChosen, onChoose, onFocus }: { row: ExecutionLine; index: number; name: string; isAt: boolean; isChosen: boolean; onChoose: () => void; onFocus: () => void }) {
  const { say, language } = useWords();
  return (
    <tr data-index={index} aria-rowindex={index + 2} style={{ height: ROW_PX }} className={classes('border-t border-line hover:bg-sunk', (isAt || isChosen) && 'bg-accent-soft')}>
      <td className="pl-4"><input type="checkbox" aria-label={say('runs.select')} checked={isChosen} onChange={onChoose} /></td>
      <td className="px-4"><Status status={row.status} label={worded(say, `status.${row.status}`, row.status)} /></td>
      <td className="px-4">
        <Link to="/executions/$executionId" params={{ executionId: row.id }} onFocus={onFocus} className="block truncate font-medium hover:text-accent-text hover:underline">{name}</Link>
        <p className="truncate text-xs text-faint">{row.error ? <span className="text-bad" title={row.error.message}>{row.error.message}</span> : <code className="font-mono">{row.id.slice(0, 8)}</code>}</p>
      </td>
      <td className="truncate px-4 text-soft" title={absolute(row.started_at, language)}>{ago(row.started_at, language)}</td>
      <td className="truncate px-4 text-soft">{duration(row.duration_ms)}</td>
      <td className="truncate px-4 text-soft">{worded(say, `runs.kind.${row.trigger_kind}`, row.trigger_kind)}{row.mode === 'test' && <span className="ml-1.5 rounded-md bg-sunk px-1.5 text-[11px]">{say('executions.test')}</span>}</td>
    </tr>
  );
}

function Bulk({ kind, rows, onDone }: { kind: 'cancel' | 'retry'; rows: ExecutionLine[]; onDone: () => void }) {
  const { say } = useWords();
  // What was answered before the network went away is not asked for again.
  const answered = useRef(new Set<string>());
  const found = useRef({ done: 0, failed: 0, why: '' });
  const act = useAct(async () => {
    const left = rows.map((each) => each.id).filter((id) => !answered.current.has(id));
    for (let first = 0; first < left.length; first += AT_ONCE) {
      const body = { ids: left.slice(first, first + AT_ONCE) };
      const answer = await (kind === 'cancel' ? call('POST /executions/bulk/cancel', { body }) : call('POST /executions/bulk/retry', { body }));
      body.ids.forEach((id) => answered.current.add(id));
      found.current = { done: found.current.done + answer.done, failed: found.current.failed + answer.failed, why: found.current.why || (answer.data.find((each) => !each.ok)?.detail ?? '') };
    }
    const all = found.current;
    found.current = { done: 0, failed: 0, why: '' };
    answered.current.clear();
    return all;
  }, ['executions'], (found) => { toast(say('runs.done', { done: found.done, failed: found.failed }), { description: found.why || undefined }); onDone(); });
  if (rows.length === 0) return null;
  return (
    <Button look={kind === 'cancel' ? 'danger' : 'plain'} busy={act.isPending} onClick={() => (kind === 'retry' || window.confirm(say('runs.cancelAsk', { n: rows.length }))) && act.mutate()}>
      {say(`runs.${kind}`)} ({rows.length})
    </Button>
  );
}
