import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Inbox } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import type { Letter } from '../api/schema.gen';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Empty, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Listing, useAct } from './Listing';

const PAGE = 100;
const LOOK_MS = 5_000;

/** Work that was given up on: look, replay, delete; one, those that are chosen, or all. */
export function DeadLetters() {
  const { say } = useWords();
  const may = useMay();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const list = useInfiniteQuery({
    queryKey: ['letters'], initialPageParam: '', refetchInterval: LOOK_MS,
    queryFn: ({ pageParam }) => call('GET /dead-letters', { query: { limit: PAGE, after: pageParam } }),
    getNextPageParam: (last) => last.next || undefined,
  });
  const rows = (list.data?.pages.flatMap((page) => page.data) ?? []) as unknown as Letter[];
  const picked = rows.filter((each) => chosen.has(each.id)).map((each) => each.id);
  const deal = useAct((body: { action: 'replay' | 'drop'; ids?: string[]; where?: object }) => call('POST /dead-letters/bulk', { body }), ['letters', 'home', 'executions'], (found, body) => {
    const values = { done: found.done, failed: found.failed.length };
    toast(say(body.action === 'drop' ? 'letters.deletedMany' : 'letters.replayedMany', values), { description: found.failed[0]?.detail ?? (found.has_more ? say('letters.more') : undefined) });
    setChosen(new Set());
  });
  const flip = (id: string) => setChosen((old) => {
    const next = new Set(old);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  const canReplay = may('execution.retry');
  const canDrop = may('execution.delete');
  return (
    <Page title={say('letters.title')} about={say('letters.about')} actions={rows.length > 0 && canReplay && <Button busy={deal.isPending} onClick={() => window.confirm(say('letters.replayAllAsk')) && deal.mutate({ action: 'replay', where: {} })}>{say('letters.replayAll')}</Button>}>
      <Listing found={list}>
        {() => rows.length === 0 ? <Empty icon={<Inbox size={20} />} title={say('letters.empty')} about={say('letters.emptyAbout')} /> : (
          <>
            {(canReplay || canDrop) && (
              <div className="mb-2 flex min-h-8 flex-wrap items-center gap-2 text-xs text-faint">
                <label className="flex items-center gap-2 pl-4"><input type="checkbox" checked={picked.length === rows.length} onChange={() => setChosen(picked.length === rows.length ? new Set() : new Set(rows.map((each) => each.id)))} /> {say('runs.selectAll')}</label>
                {picked.length > 0 && (
                  <>
                    <span className="font-medium text-ink">{say('runs.selected', { n: picked.length })}</span>
                    {canReplay && <Button busy={deal.isPending} onClick={() => deal.mutate({ action: 'replay', ids: picked })}>{say('letters.replay')} ({picked.length})</Button>}
                    {canDrop && <Button look="danger" busy={deal.isPending} onClick={() => window.confirm(say('letters.deleteAsk', { n: picked.length })) && deal.mutate({ action: 'drop', ids: picked })}>{say('app.delete')} ({picked.length})</Button>}
                  </>
                )}
              </div>
            )}
            <Table label={say('letters.title')} head={[say('letters.kind'), say('letters.reason'), say('executions.id'), say('letters.at'), say('workflows.actions')]}>
              {rows.map((each) => <Row key={each.id} row={each} isChosen={chosen.has(each.id)} onChoose={canReplay || canDrop ? () => flip(each.id) : undefined} />)}
            </Table>
            {list.hasNextPage && <div className="mt-4 text-center"><Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{say('app.more')}</Button></div>}
          </>
        )}
      </Listing>
    </Page>
  );
}

function Row({ row, isChosen, onChoose }: { row: Letter; isChosen: boolean; onChoose?: () => void }) {
  const { say, language } = useWords();
  const may = useMay();
  const path = { letter_id: row.id };
  const replay = useAct(() => call('POST /dead-letters/{letter_id}/replay', { path }), ['letters', 'home', 'executions'], () => void toast.success(say('letters.replayed')));
  const remove = useAct(() => call('DELETE /dead-letters/{letter_id}', { path }), ['letters', 'home'], () => void toast(say('letters.deleted')));
  const kind = worded(say, `letters.kind.${row.kind}`, row.kind);
  return (
    <tr className={isChosen ? 'bg-accent-soft' : undefined}>
      <td className="px-4 py-2.5 font-medium whitespace-nowrap">{onChoose ? <label className="flex items-center gap-2"><input type="checkbox" aria-label={`${say('letters.select')}: ${kind}`} checked={isChosen} onChange={onChoose} /> {kind}</label> : kind}</td>
      <td className="max-w-md min-w-48 px-4 break-words">{row.reason}</td>
      <td className="px-4">{row.execution_id && <Link to="/executions/$executionId" params={{ executionId: row.execution_id }} className="font-mono text-xs text-accent-text hover:underline">{row.execution_id.slice(0, 8)}</Link>}</td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(row.at, language)}>{ago(row.at, language)}</td>
      <td className="px-4 py-2">
        <div className="flex gap-1.5">
          {may('execution.retry') && <Button busy={replay.isPending} onClick={() => replay.mutate()}>{say('letters.replay')}</Button>}
          {may('execution.delete') && <Button look="danger" busy={remove.isPending} onClick={() => window.confirm(say('letters.deleteAsk', { n: 1 })) && remove.mutate()}>{say('app.delete')}</Button>}
        </div>
      </td>
    </tr>
  );
}
