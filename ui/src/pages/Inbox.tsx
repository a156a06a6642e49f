import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Inbox as Sign } from 'lucide-react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import type { InboxEvent } from '../api/schema.gen';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Choice } from '../kit/Field';
import { Empty, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Listing, useAct } from './Listing';
import { Request } from './Request';

const STATES = ['pending', 'done', 'refused', 'unclaimed'] as const;
type State = (typeof STATES)[number];
const TONES: Record<string, string> = { done: 'text-good', refused: 'text-bad', unclaimed: 'text-warn' };
const LOOK_MS = 5_000;

/** What came in from outside: who claimed it, what became of it; replay. */
export function Inbox() {
  const { say, language } = useWords();
  const may = useMay();
  const navigate = useNavigate({ from: '/inbox' });
  const { state, webhook, event: open } = useSearch({ from: '/inside/inbox' });
  const found = useInfiniteQuery({
    queryKey: ['inbox', state, webhook], initialPageParam: '', refetchInterval: LOOK_MS,
    queryFn: async ({ pageParam }) => (await call('GET /inbox', { query: { state: (STATES as readonly string[]).includes(state ?? '') ? (state as State) : '', webhook_id: webhook, limit: 50, after: pageParam } })) as unknown as { data: InboxEvent[]; next: string | null },
    getNextPageParam: (last) => last.next || undefined,
  });
  const replay = useAct((id: string) => call('POST /inbox/{event_id}/replay', { path: { event_id: id } }), ['inbox', 'executions'], () => void toast.success(say('inbox.replayed')));
  const rows = found.data?.pages.flatMap((page) => page.data) ?? [];
  const isFiltered = !!(state || webhook);
  const look = (event?: string) => void navigate({ search: (before) => ({ ...before, event }), replace: true });
  return (
    <Page title={say('inbox.title')} about={say('inbox.about')}>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <Choice aria-label={say('workflows.state')} className="!w-44" value={state ?? ''} onChange={(event) => void navigate({ search: (before) => ({ ...before, state: event.target.value || undefined }), replace: true })}>
          <option value="">{say('inbox.any')}</option>
          {STATES.map((each) => <option key={each} value={each}>{say(`inbox.state.${each}`)}</option>)}
        </Choice>
        {isFiltered && <Button look="quiet" onClick={() => void navigate({ search: {}, replace: true })}>{say('executions.clear')}</Button>}
      </div>
      <Listing found={found}>
        {() => rows.length === 0 ? <Empty icon={<Sign size={20} />} title={say(isFiltered ? 'inbox.noneFound' : 'inbox.empty')} about={say(isFiltered ? 'executions.noneFoundAbout' : 'inbox.emptyAbout')}>{!isFiltered && <Button onClick={() => void navigate({ to: '/triggers' })}>{say('nav.triggers')}</Button>}</Empty> : (
          <Table label={say('inbox.title')} head={[say('inbox.received'), say('inbox.source'), say('workflows.state'), say('inbox.became'), say('inbox.size'), say('workflows.actions')]}>
            {rows.map((each) => (
              <tr key={each.id}>
                <td className="px-4 py-2.5 whitespace-nowrap text-soft" title={absolute(each.received_at, language)}>{ago(each.received_at, language)}</td>
                <td className="px-4">{worded(say, `inbox.kind.${each.kind}`, each.kind)} <code className="font-mono text-xs text-faint">{each.source_id.slice(0, 8)}</code></td>
                <td className={`px-4 font-medium ${TONES[each.state] ?? 'text-soft'}`}>{worded(say, `inbox.state.${each.state}`, each.state)}</td>
                <td className="max-w-sm px-4">{each.reason && <p className="text-xs text-bad">{each.reason}</p>}
                  <span className="flex flex-wrap gap-1.5">{each.execution_ids.slice(0, 3).map((id) => <Link key={id} to="/executions/$executionId" params={{ executionId: id }} className="font-mono text-xs text-accent-text hover:underline">{id.slice(0, 8)}</Link>)}{each.execution_ids.length > 3 && <span className="text-xs text-faint">+{each.execution_ids.length - 3}</span>}</span></td>
                <td className="px-4 whitespace-nowrap text-soft">{say('inbox.bytes', { n: each.body_bytes })}</td>
                <td className="px-4 py-2"><div className="flex gap-1.5"><Button onClick={() => look(each.id)}>{say('inbox.look')}</Button>{may('webhook.update') && <Button busy={replay.isPending && replay.variables === each.id} onClick={() => replay.mutate(each.id)}>{say('inbox.replay')}</Button>}</div></td>
              </tr>
            ))}
          </Table>
        )}
      </Listing>
      {found.hasNextPage && <div className="mt-4 text-center"><Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{say('app.more')}</Button></div>}
      {open && <Looked id={open} onClose={() => look()} />}
    </Page>
  );
}

function Looked({ id, onClose }: { id: string; onClose: () => void }) {
  const { say } = useWords();
  const found = useQuery({ queryKey: ['inbox', 'event', id], queryFn: () => call('GET /inbox/{event_id}', { path: { event_id: id } }) });
  return (
    <Dialog title={say('inbox.request')} isWide isOpen onClose={onClose} closeLabel={say('app.close')}>
      <Listing found={found}>{(event) => <Request event={event} />}</Listing>
    </Dialog>
  );
}
