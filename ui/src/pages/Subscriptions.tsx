import { useQuery } from '@tanstack/react-query';
import { BellRing, Plus } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import type { SubscriptionRow } from '../api/schema.gen';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Field, Input } from '../kit/Field';
import { Empty, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Listing, useAct } from './Listing';
import { Once } from './Once';

const EVENTS = [
  'execution.started', 'execution.completed', 'execution.failed', 'execution.timed_out', 'execution.cancelled', 'workflow.created', 'workflow.updated', 'workflow.published',
  'workflow.deleted', 'workflow.activated', 'workflow.deactivated', 'integration.connected', 'integration.disconnected', 'member.joined',
];

/** Addresses that are told what happens. */
export function Subscriptions() {
  const { say } = useWords();
  const may = useMay();
  const [isNew, setNew] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [sent, setSent] = useState<SubscriptionRow | null>(null);
  const found = useQuery({ queryKey: ['subscriptions'], queryFn: async () => (await call('GET /webhook-subscriptions')).data });
  const make = may('webhook.create') && <Button look="main" icon={<Plus size={15} aria-hidden />} onClick={() => setNew(true)}>{say('subscriptions.new')}</Button>;
  return (
    <Page title={say('settings.subscriptions')} about={say('subscriptions.about')} actions={!!found.data?.length && make}>
      <Listing found={found}>
        {(rows) => rows.length === 0 ? <Empty icon={<BellRing size={20} />} title={say('subscriptions.empty')} about={say('subscriptions.emptyAbout')}>{make}</Empty> : (
          <Table label={say('settings.subscriptions')} head={[say('subscriptions.url'), say('subscriptions.events'), say('workflows.state'), say('workflows.actions')]}>
            {rows.map((each) => <Row key={each.id} row={each} onSecret={setSecret} onLook={() => setSent(each)} />)}
          </Table>
        )}
      </Listing>
      {isNew && <New onClose={() => setNew(false)} onMade={setSecret} />}
      <Once title={say('subscriptions.secret')} value={secret} onClose={() => setSecret(null)} />
      {sent && <Deliveries row={sent} onClose={() => setSent(null)} />}
    </Page>
  );
}

function Row({ row, onSecret, onLook }: { row: SubscriptionRow; onSecret: (secret: string) => void; onLook: () => void }) {
  const { say } = useWords();
  const may = useMay();
  const path = { subscription_id: row.id };
  const flip = useAct(() => call('PUT /webhook-subscriptions/{subscription_id}', { path, body: { is_active: !row.is_active } }), ['subscriptions']);
  const test = useAct(() => call('POST /webhook-subscriptions/{subscription_id}/test', { path }), ['deliveries'], () => void toast(say('subscriptions.tested')));
  const rotate = useAct(() => call('POST /webhook-subscriptions/{subscription_id}/rotate-secret', { path }), [], (made) => onSecret(made.secret));
  const remove = useAct(() => call('DELETE /webhook-subscriptions/{subscription_id}', { path }), ['subscriptions']);
  return (
    <tr>
      <td className="max-w-xs px-4 py-2.5"><code className="font-mono text-xs break-all">{row.url}</code>{row.description && <p className="text-xs text-faint">{row.description}</p>}</td>
      <td className="px-4"><span className="flex flex-wrap gap-1">{row.events.map((each) => <code key={each} className="rounded-md bg-sunk px-1.5 font-mono text-[11px] text-soft">{each}</code>)}</span></td>
      <td className="px-4 text-soft">{say(row.is_active ? 'workflows.active' : 'triggers.paused')}{row.disabled_reason && <p className="text-xs text-bad">{row.disabled_reason}</p>}</td>
      <td className="px-4 py-2">
        <div className="flex flex-wrap gap-1.5">
          <Button onClick={onLook}>{say('subscriptions.deliveries')}</Button>
          {may('webhook.update') && <><Button busy={test.isPending} onClick={() => test.mutate()}>{say('subscriptions.test')}</Button><Button busy={rotate.isPending} onClick={() => window.confirm(say('triggers.secretAsk')) && rotate.mutate()}>{say('triggers.secret')}</Button>
            <Button busy={flip.isPending} onClick={() => flip.mutate()}>{say(row.is_active ? 'subscriptions.pause' : 'subscriptions.resume')}</Button></>}
          {may('webhook.delete') && <Button look="danger" busy={remove.isPending} onClick={() => window.confirm(say('subscriptions.deleteAsk', { url: row.url })) && remove.mutate()}>{say('app.delete')}</Button>}
        </div>
      </td>
    </tr>
  );
}

function New({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const { say } = useWords();
  const make = useAct((body: object) => call('POST /webhook-subscriptions', { body }), ['subscriptions'], (made) => { onClose(); onMade(made.secret); });
  const send = (form: HTMLFormElement) => {
    const found = new FormData(form);
    make.mutate({ url: found.get('url'), description: found.get('description'), events: found.getAll('events') });
  };
  return (
    <Dialog title={say('subscriptions.new')} isOpen onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => { event.preventDefault(); send(event.currentTarget); }}>
        <Field label={say('subscriptions.url')}>{(id) => <Input id={id} name="url" type="url" required autoFocus placeholder="https://" />}</Field>
        <Field label={say('subscriptions.note')}>{(id) => <Input id={id} name="description" />}</Field>
        <fieldset>
          <legend className="mb-1 text-[13px] font-medium">{say('subscriptions.events')}</legend>
          <div className="grid gap-x-4 gap-y-1 sm:grid-cols-2">{EVENTS.map((each) => <label key={each} className="flex items-center gap-2 text-[13px]"><input type="checkbox" name="events" value={each} defaultChecked={each === 'execution.failed'} /><code className="font-mono text-xs">{each}</code></label>)}</div>
        </fieldset>
        <div className="text-right"><Button type="submit" look="main" busy={make.isPending}>{say('app.save')}</Button></div>
      </form>
    </Dialog>
  );
}

function Deliveries({ row, onClose }: { row: SubscriptionRow; onClose: () => void }) {
  const { say, language } = useWords();
  const may = useMay();
  const found = useQuery({ queryKey: ['deliveries', row.id], refetchInterval: 3_000, queryFn: async () => (await call('GET /webhook-subscriptions/{subscription_id}/deliveries', { path: { subscription_id: row.id }, query: { limit: 50 } })).data });
  const replay = useAct((id: string) => call('POST /webhook-subscriptions/{subscription_id}/deliveries/{delivery_id}/replay', { path: { subscription_id: row.id, delivery_id: id } }), ['deliveries'], () => void toast(say('inbox.replayed')));
  return (
    <Dialog title={say('subscriptions.deliveries')} about={row.url} isWide isOpen onClose={onClose} closeLabel={say('app.close')}>
      <Listing found={found}>
        {(rows) => rows.length === 0 ? <p className="py-6 text-[13px] text-faint">{say('subscriptions.noDeliveries')}</p> : (
          <Table label={say('subscriptions.deliveries')} head={[say('letters.at'), say('execution.event'), say('workflows.state'), say('subscriptions.tries'), say('subscriptions.answer'), say('workflows.actions')]}>
            {rows.map((each) => (
              <tr key={each.id}>
                <td className="px-4 py-2 whitespace-nowrap text-soft" title={absolute(each.at, language)}>{ago(each.at, language)}</td>
                <td className="px-4"><code className="font-mono text-xs">{each.event}</code></td>
                <td className={`px-4 font-medium ${each.state === 'failed' ? 'text-bad' : each.state === 'delivered' ? 'text-good' : 'text-soft'}`}>{worded(say, `subscriptions.state.${each.state}`, each.state)}</td>
                <td className="px-4 tabular-nums">{each.attempts}</td>
                <td className="max-w-52 px-4 text-soft">{each.status || ''} <span className="text-xs break-words text-bad">{each.error}</span></td>
                <td className="px-4">{may('webhook.update') && <Button onClick={() => replay.mutate(each.id)}>{say('inbox.replay')}</Button>}</td>
              </tr>
            ))}
          </Table>
        )}
      </Listing>
    </Dialog>
  );
}
