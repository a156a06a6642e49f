import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Inbox } from 'lucide-react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import { queries } from '../api/queries';
import type { Letter } from '../api/schema.gen';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Empty, Failed, Loading, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';

/** Work that was given up on: look, replay, delete. */
export function DeadLetters() {
  const { say, language } = useWords();
  const may = useMay();
  const list = useQuery({ queryKey: ['letters'], queryFn: async () => (await call('GET /dead-letters', { query: { limit: 100 } })).data as unknown as Letter[] });
  const again = () => queries.invalidateQueries({ queryKey: ['letters'] });
  const failed = (error: Error) => void toast.error(error.message);
  const all = useMutation({ mutationFn: () => call('POST /dead-letters/bulk', { body: { action: 'replay', ids: list.data?.map((each) => each.id) } }), onSuccess: (found) => { toast(say('letters.replayedMany', { done: found.done, failed: Array.isArray(found.failed) ? found.failed.length : found.failed })); void again(); }, onError: failed });
  const replay = useMutation({ mutationFn: (id: string) => call('POST /dead-letters/{letter_id}/replay', { path: { letter_id: id } }), onSuccess: () => { toast.success(say('letters.replayed')); void again(); }, onError: failed });
  const remove = useMutation({ mutationFn: (id: string) => call('DELETE /dead-letters/{letter_id}', { path: { letter_id: id } }), onSuccess: () => { toast(say('letters.deleted')); void again(); }, onError: failed });
  return (
    <Page title={say('letters.title')} about={say('letters.about')} actions={!!list.data?.length && may('execution.retry') && <Button busy={all.isPending} onClick={() => all.mutate()}>{say('letters.replayAll')}</Button>}>
      {list.isPending && <Loading label={say('app.loading')} />}
      {list.isError && <Failed title={say('app.failed')} error={list.error} again={() => void list.refetch()} againLabel={say('app.again')} />}
      {list.data?.length === 0 && <Empty icon={<Inbox size={20} />} title={say('letters.empty')} about={say('letters.emptyAbout')} />}
      {!!list.data?.length && (
        <Table label={say('letters.title')} head={[say('letters.kind'), say('letters.reason'), say('executions.id'), say('letters.at'), say('workflows.actions')]}>
          {list.data.map((each) => (
            <tr key={each.id}>
              <td className="px-4 py-2.5 font-medium">{each.kind}</td>
              <td className="max-w-md px-4 break-words">{each.reason}</td>
              <td className="px-4">{each.execution_id && <Link to="/executions/$executionId" params={{ executionId: each.execution_id }} className="font-mono text-xs text-accent-text hover:underline">{each.execution_id.slice(0, 8)}</Link>}</td>
              <td className="px-4 whitespace-nowrap text-soft" title={absolute(each.at, language)}>{ago(each.at, language)}</td>
              <td className="flex gap-1.5 px-4 py-2">{may('execution.retry') && <Button busy={replay.isPending && replay.variables === each.id} onClick={() => replay.mutate(each.id)}>{say('letters.replay')}</Button>}{may('execution.delete') && <Button look="danger" onClick={() => remove.mutate(each.id)}>{say('app.delete')}</Button>}</td>
            </tr>
          ))}
        </Table>
      )}
    </Page>
  );
}
