import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Copy, LoaderCircle } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import type { InboxEvent, Webhook } from '../api/schema.gen';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { useAct } from './Listing';
import { bodyOf, Request } from './Request';

const LOOK_MS = 1_000;

/** Waits for the next request at a webhook, shows it, and runs the draft with it. */
export function Listen({ hook, onClose }: { hook: Webhook; onClose: () => void }) {
  const { say } = useWords();
  const may = useMay();
  const navigate = useNavigate();
  const [round, setRound] = useState(0);
  const path = { webhook_id: hook.id };
  const newest = async () => ((await call('GET /inbox', { query: { webhook_id: path.webhook_id, limit: 1 } })).data as unknown as InboxEvent[])[0]?.id ?? '';
  const before = useQuery({ queryKey: ['listen', hook.id, round], staleTime: Infinity, gcTime: 0, queryFn: newest });
  const came = useQuery({
    queryKey: ['listen', hook.id, round, 'next'], enabled: before.isSuccess, gcTime: 0, retry: true,
    refetchInterval: (query) => (query.state.data ? false : LOOK_MS),
    queryFn: async () => {
      const id = await newest();
      return id && id !== before.data ? call('GET /inbox/{event_id}', { path: { event_id: id } }) : null;
    },
  });
  const run = useAct(async (event: InboxEvent) => {
    const { method, headers, query, path: rest } = event.request as Record<string, unknown>;
    return call('POST /workflows/{workflow_id}/test-run', { path: { workflow_id: hook.workflow_id }, body: { input: { body: bodyOf(event), method, headers, query, path: rest } } });
  }, ['executions'], (started) => void navigate({ to: '/w/$workflowId/edit', params: { workflowId: hook.workflow_id }, search: { exec: started.execution_id } }));
  const line = `curl -X POST ${hook.url} -H 'content-type: application/json' -d '{"hello": "world"}'`;
  const copy = (text: string) => void navigator.clipboard.writeText(text).then(() => toast(say('app.copied')));
  return (
    <Dialog title={say('listen.title')} about={say('listen.about')} isWide isOpen onClose={onClose} closeLabel={say('app.close')}>
      <div className="flex flex-col gap-4">
        <div className="flex items-center gap-2"><code className="min-w-0 flex-1 rounded-lg bg-sunk px-3 py-2 font-mono text-xs break-all">{hook.url}</code><Button icon={<Copy size={14} aria-hidden />} onClick={() => copy(hook.url)}>{say('app.copy')}</Button></div>
        {hook.is_active && <p className="text-xs text-warn">{say('listen.active')}</p>}
        {came.data ? (
          <>
            <Request event={came.data} />
            <div className="flex justify-end gap-2">
              <Button onClick={() => setRound(round + 1)}>{say('listen.again')}</Button>
              {may('workflow.execute') && <Button look="main" busy={run.isPending} onClick={() => run.mutate(came.data!)}>{say('listen.run')}</Button>}
            </div>
          </>
        ) : (
          <>
            <p role="status" data-ready={before.isSuccess} className="flex items-center gap-2 text-[13px] text-soft"><LoaderCircle size={16} className="spin" aria-hidden /> {say('listen.waiting')}</p>
            <p className="text-xs text-faint">{say('listen.try')}</p>
            <div className="flex items-center gap-2"><code className="min-w-0 flex-1 rounded-lg bg-sunk px-3 py-2 font-mono text-xs break-all">{line}</code><Button icon={<Copy size={14} aria-hidden />} aria-label={`${say('app.copy')}: curl`} onClick={() => copy(line)} /></div>
          </>
        )}
      </div>
    </Dialog>
  );
}
