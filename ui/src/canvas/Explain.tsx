import { useMutation, useQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useState } from 'react';
import { Link } from '@tanstack/react-router';
import { toast } from 'sonner';
import { call } from '../api/client';
import { explanation, queries, type Driver } from '../api/queries';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Area } from '../kit/Field';
import { Status } from '../kit/Status';
import { absolute, ago } from '../kit/time';
import { isOver, useRuns } from './runs';

/** How often a running execution is asked what it waits for; its nodes say at once how they are. */
const LOOK_MS = 1500;
/** So many things that are waited for are shown until one asks for all. */
const FEW = 5;
const FAILED = new Set(['error', 'failed', 'timeout']);

/** In words: how an execution stands, what it waits for, since when, until when, and what can be done. */
export function Explain({ executionId, onNode, onClose }: { executionId: string; onNode?: (id: string) => void; onClose?: () => void }) {
  const { say } = useWords();
  const status = useRuns((state) => state.seen.status);
  const isKnown = useRuns((state) => state.seen.seq > 0);
  const failed = useRuns((state) => Object.values(state.seen.byNode).find((each) => each.error && FAILED.has(each.status)));
  const [showsAll, setShowsAll] = useState(false);
  const found = useQuery({ ...explanation(executionId, status), enabled: isKnown, refetchInterval: isOver(status) ? false : LOOK_MS });
  const path = { execution_id: executionId };
  const cancel = useMutation({ mutationFn: () => call('POST /executions/{execution_id}/cancel', { path, body: {} }), onSuccess: () => toast(say('execution.cancelled')), onError: (error) => toast.error(error.message) });
  if (!isKnown) return null;
  const drivers = isOver(status) ? [] : (found.data?.drivers ?? []);
  const shown = showsAll ? drivers : drivers.slice(0, FEW);
  return (
    <section aria-label={say('explain.title')} className="absolute top-3 right-3 z-10 max-h-[calc(100%-8.5rem)] w-80 max-w-[calc(100%-1.5rem)] overflow-y-auto rounded-xl border border-line bg-raised p-3.5 text-[13px] shadow-[var(--shadow-high)]" data-testid="explain">
      <header className="flex items-center gap-2">
        <Status status={status} label={worded(say, `status.${status}`, status)} />
        <Link to="/executions/$executionId" params={{ executionId }} className="min-w-0 flex-1 truncate text-xs font-medium text-accent-text hover:underline">{say('execution.title')} {executionId.slice(0, 8)}</Link>
        {onClose && <Button look="quiet" className="!size-6" aria-label={say('app.close')} icon={<X size={14} aria-hidden />} onClick={onClose} />}
      </header>
      {found.data?.summary && <p aria-live="polite" className="mt-2 text-soft">{found.data.summary}</p>}
      {failed && onNode && <Button className="mt-2 max-w-full" title={say('error.title', { node: failed.label || failed.node_id })} onClick={() => onNode(failed.node_id)}><span className="truncate">{say('error.title', { node: failed.label || failed.node_id })}</span></Button>}
      {shown.map((each) => <Waits key={`${each.kind}:${each.key}`} driver={each} executionId={executionId} onNode={onNode} />)}
      {shown.length < drivers.length && <Button className="mt-3" onClick={() => setShowsAll(true)}>{say('explain.more', { count: drivers.length - shown.length })}</Button>}
      {status === 'waiting' && <Button look="danger" className="mt-3" busy={cancel.isPending} onClick={() => cancel.mutate()}>{say('explain.cancel')}</Button>}
    </section>
  );
}

/** What a person may decide, by what is waited for. */
function decisions({ kind, can }: Driver): string[] {
  const found: string[] = [];
  if (can.includes('signal')) found.push('signal');
  if (can.includes('resolve') && kind === 'approval') found.push('approved', 'rejected');
  if (can.includes('resolve') && kind === 'person') found.push('done', 'fail');
  if (can.includes('raise')) found.push('raise');
  if (can.includes('stop')) found.push('stop');
  if (can.includes('retry')) found.push('retry');
  if (can.includes('skip')) found.push('skip');
  return found;
}

function Waits({ driver, executionId, onNode }: { driver: Driver; executionId: string; onNode?: (id: string) => void }) {
  const { say, language } = useWords();
  const [text, setText] = useState('');
  const path = { execution_id: executionId };
  const act = useMutation({
    mutationFn: (action: string) => {
      const data: unknown = text.trim() ? JSON.parse(text) : null;
      if (action === 'signal') return call('POST /executions/{execution_id}/signal', { path, body: { name: driver.name, key: driver.match || '', data } });
      if (action === 'raise' || action === 'stop') return call('POST /executions/{execution_id}/budget', { path, body: { action } });
      return call('POST /executions/{execution_id}/resolve', { path, body: { key: driver.key, action: action === 'skip' ? 'done' : action, data } });
    },
    onSuccess: () => { toast.success(say('explain.sent')); void queries.invalidateQueries({ queryKey: ['explain', executionId] }); },
    onError: (error) => toast.error(error.message),
  });
  const can = decisions(driver);
  return (
    <div className="mt-3 border-t border-line pt-3">
      <button type="button" className="text-left font-medium hover:underline" onClick={() => onNode?.(driver.node_id)}>{driver.message}</button>
      <p className="mt-0.5 text-xs text-faint">
        {driver.since && <span title={absolute(driver.since, language)}>{say('explain.since', { when: ago(driver.since, language) })}</span>}
        {driver.until && <span title={absolute(driver.until, language)}> · {say('explain.until', { when: ago(driver.until, language) })}</span>}
      </p>
      {can.includes('signal') && <Area aria-label={say('explain.signalData')} placeholder={say('explain.signalData')} rows={2} spellCheck={false} className="mt-2 font-mono !text-xs" value={text} onChange={(event) => setText(event.target.value)} />}
      <div className="mt-2 flex flex-wrap gap-1.5">
        {can.map((each) => <Button key={each} look={each === 'approved' || each === 'signal' || each === 'done' || each === 'raise' ? 'main' : 'plain'} busy={act.isPending && act.variables === each} onClick={() => act.mutate(each)}>{driver.kind === 'look_up' && each === 'retry' ? say('explain.askNow') : worded(say, `explain.${each}`, each)}</Button>)}
      </div>
    </div>
  );
}
