import { useMemo, useState } from 'react';
import { call } from '../api/client';
import { useGrowing } from '../api/growing';
import type { Event as Happened, LogLine, NodeRun } from '../api/schema.gen';
import { scaleOf, type Span } from '../graph/timeline';
import { useWords, worded } from '../i18n';
import { JsonView } from '../kit/JsonView';
import { Failed, Loading } from '../kit/Page';
import { classes } from '../kit/classes';
import { Status } from '../kit/Status';
import { absolute, duration } from '../kit/time';
import { VirtualRows } from '../kit/VirtualRows';

interface Props {
  executionId: string;
  seq: number;
}
interface Ran extends Props {
  began: string;
  closed: string | null;
}
const BARS: Record<string, string> = { success: 'bg-good', error: 'bg-bad', failed: 'bg-bad', timeout: 'bg-bad', running: 'bg-info', waiting: 'bg-warn' };
const WAITS = new Set(['logic.delay', 'logic.wait_event', 'logic.approval', 'flow.sub_workflow']);
const PAGE = 500;
/** Node runs and log lines are small. */
const RUNS = 2_000;
const ROW = 'grid grid-cols-[13rem_1fr_9rem] items-center gap-4 rounded-lg px-2 max-md:grid-cols-[5.5rem_1fr_6.5rem] max-md:gap-2 py-1 text-[13px]';

interface Bar extends Span {
  run: NodeRun;
}
const BAR_OF = new WeakMap<NodeRun, Bar>();
/** The bar of a run, thought out once: each further page brings thousands. One that goes on reaches to the end, wherever that is. */
function barOf(run: NodeRun): Bar {
  let found = BAR_OF.get(run);
  if (!found) BAR_OF.set(run, (found = { run, from: Date.parse((run.started_at ?? run.scheduled_at)!), to: run.ended_at ? Date.parse(run.ended_at) : Infinity, isWaiting: WAITS.has(run.type) }));
  return found;
}

/** When each node ran and for how long, as bars; long idle times take little room. */
export function Timeline({ executionId, seq, began: beganAt, closed: closedAt }: Ran) {
  const { say } = useWords();
  const { items, isRead, error, more } = useGrowing<NodeRun>({
    name: executionId, seq, isWhole: true, keyOf: (each) => each.key, numberOf: (each) => each.event,
    read: (after, version, signal) => call('GET /executions/{execution_id}/nodes', { path: { execution_id: executionId }, query: { after, version, limit: RUNS, outputs: false }, signal }),
  });
  const { bars, scale } = useMemo(() => {
    const began = Date.parse(beganAt);
    const ended = Math.max(began + 1, closedAt ? Date.parse(closedAt) : Date.now());
    const bars = items.filter((each) => each.started_at || each.scheduled_at).map(barOf).sort((one, two) => one.from - two.from);
    return { bars, scale: scaleOf(bars, began, ended) };
  }, [items, beganAt, closedAt]);
  if (error) return <div className="p-6"><Failed title={say('app.failed')} error={error} again={more} againLabel={say('app.again')} /></div>;
  if (!isRead) return <Loading label={say('app.loading')} />;
  if (!bars.length) return <p className="p-6 text-[13px] text-faint">{say('execution.noNodes')}</p>;
  const idle = scale.idle.map((each, index) => (
    <span key={index} className="absolute inset-y-0 border-x border-dashed border-line-strong bg-sunk" style={{ left: `${each.from * 100}%`, width: `${(each.to - each.from) * 100}%` }} title={say('timeline.idle', { time: duration(each.ms) })} />
  ));
  const head = (
    <div className={classes(ROW, 'sticky top-0 z-10 bg-ground text-xs text-faint')}>
      <span>{say('timeline.count', { count: bars.length })}</span>
      <span className="relative h-4">{scale.idle.map((each, index) => <span key={index} className="absolute -translate-x-1/2 whitespace-nowrap" style={{ left: `${((each.from + each.to) / 2) * 100}%` }} title={say('timeline.idle', { time: duration(each.ms) })} data-testid="idle">⋯ {duration(each.ms)}</span>)}</span>
      <span />
    </div>
  );
  const row = (index: number) => {
    const { run: each, from, to } = bars[index]!;
    const left = scale.at(from) * 100;
    const width = Math.max(0.6, scale.at(to) * 100 - left);
    return (
      <div className={classes(ROW, 'hover:bg-sunk')}>
        <span className="truncate font-medium" title={each.key}>{each.label || each.key}{each.attempt > 1 && <span className="ml-1.5 text-xs text-faint">{say('execution.attempt', { n: each.attempt })}</span>}</span>
        <span className="relative h-4 rounded bg-sunk">{idle}<span className={classes('absolute inset-y-0 rounded', BARS[each.status] ?? 'bg-line-strong')} style={{ left: `${Math.min(left, 99.4)}%`, width: `${width}%` }} /></span>
        <span className="flex items-center justify-between gap-2"><span className="text-xs whitespace-nowrap text-faint">{duration(each.duration_ms)}</span><Status small status={each.status} label={worded(say, `status.${each.status}`, each.status)} /></span>
      </div>
    );
  };
  return <VirtualRows label={say('execution.timeline')} role="list" count={bars.length} rowPx={30} isEven head={head} row={row} className="p-6 max-md:px-2" />;
}

/** The history, event by event; more is read as one scrolls. */
export function Events({ executionId, seq }: Props) {
  const { say, language } = useWords();
  const { items: events, isRead, error, more } = useGrowing<Happened>({
    name: executionId, seq, numberOf: (each) => each.number,
    read: (after, _, signal) => call('GET /executions/{execution_id}/events', { path: { execution_id: executionId }, query: { after, limit: PAGE }, signal }),
  });
  if (error) return <div className="p-6"><Failed title={say('app.failed')} error={error} again={more} againLabel={say('app.again')} /></div>;
  if (!isRead) return <Loading label={say('app.loading')} />;
  const columns = 'grid grid-cols-[4rem_17rem_12rem_1fr] gap-3 px-4 py-1.5 text-[13px]';
  const head = <div role="row" className={classes(columns, 'sticky top-0 z-10 border-b border-line bg-ground text-xs text-faint')}>{['#', say('execution.type'), say('execution.at'), say('execution.data')].map((each) => <span key={each} role="columnheader">{each}</span>)}</div>;
  const row = (index: number) => {
    const each = events[index]!;
    return (
      <div className={classes(columns, 'items-start border-b border-line')} role="presentation">
        <span role="cell" className="text-faint">{each.number}</span>
        <span role="cell" className="truncate font-medium" title={each.type}>{each.type}</span>
        <span role="cell" className="whitespace-nowrap text-soft">{absolute(each.at, language)}</span>
        <div role="cell" className="min-w-0"><Data value={each.data} label={`${each.number}`} /></div>
      </div>
    );
  };
  return <VirtualRows label={say('execution.events')} role="table" count={events.length} rowPx={34} head={head} row={row} onEnd={more} className="px-2 max-md:min-w-[56rem]" />;
}

/** Data of an event: its beginning, all of it when it is opened. */
function Data({ value, label }: { value: unknown; label: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="truncate font-mono text-xs text-soft">{JSON.stringify(value).slice(0, 90)}</summary>
      {isOpen && <JsonView label={label} value={value} />}
    </details>
  );
}

const LEVELS: Record<string, string> = { error: 'text-bad', warning: 'text-warn', warn: 'text-warn' };
/** What the nodes logged. */
export function Logs({ executionId, seq }: Props) {
  const { say, language } = useWords();
  const { items: lines, isRead, error, more } = useGrowing<LogLine>({
    name: executionId, seq, isWhole: true, numberOf: (each) => each.event,
    read: (after, version, signal) => call('GET /executions/{execution_id}/logs', { path: { execution_id: executionId }, query: { after, version, limit: RUNS }, signal }),
  });
  if (error) return <div className="p-6"><Failed title={say('app.failed')} error={error} again={more} againLabel={say('app.again')} /></div>;
  if (!isRead) return <Loading label={say('app.loading')} />;
  if (!lines.length) return <p className="p-6 text-[13px] text-faint">{say('execution.noLogs')}</p>;
  const row = (index: number) => {
    const each = lines[index]!;
    return <div className="flex gap-3 font-mono text-xs leading-6"><span className="whitespace-nowrap text-faint">{absolute(each.at, language)}</span><span className={classes('w-14 shrink-0', LEVELS[each.level] ?? 'text-soft')}>{each.level}</span><span className="text-soft">{each.key}</span><span className="min-w-0 break-words">{each.message}</span></div>;
  };
  return <VirtualRows label={say('execution.logs')} role="list" count={lines.length} rowPx={24} row={row} className="p-6 max-md:min-w-[44rem]" />;
}
