import { useQuery } from '@tanstack/react-query';
import { Bell, Plus } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import type { AlertRow, ChannelRow } from '../api/schema.gen';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Choice, Field, Input } from '../kit/Field';
import { Empty, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Listing, useAct } from './Listing';
import { Once } from './Once';

const KINDS = ['failure', 'slow', 'stuck', 'approval', 'dead_letter', 'quota', 'budget', 'credential', 'schedule'] as const;
const CHANNELS = ['email', 'slack', 'webhook'] as const;
const LATE = new Set<string>(['slow', 'stuck', 'schedule']);
const SHARES = new Set<string>(['quota', 'budget']);
const LOOK_MS = 5_000;

const where = (channel: ChannelRow) => channel.to?.join(', ') || channel.channel || channel.url || channel.credential || '';

/** Rules by which somebody is told that a person is needed, and what was sent. */
export function Alerts() {
  const { say, language } = useWords();
  const may = useMay();
  const [isNew, setNew] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const found = useQuery({ queryKey: ['alerts'], queryFn: async () => (await call('GET /alerts')).data });
  const sent = useQuery({ queryKey: ['alerts', 'history'], refetchInterval: LOOK_MS, queryFn: async () => (await call('GET /alerts/history', { query: { limit: 20 } })).data });
  const make = may('alert.manage') && <Button look="main" icon={<Plus size={15} aria-hidden />} onClick={() => setNew(true)}>{say('alerts.new')}</Button>;
  return (
    <Page title={say('nav.alerts')} about={say('alerts.about')} actions={!!found.data?.length && make}>
      <Listing found={found}>
        {(rows) => rows.length === 0 ? <Empty icon={<Bell size={20} />} title={say('alerts.empty')} about={say('alerts.emptyAbout')}>{make}</Empty> : (
          <>
            <Table label={say('nav.alerts')} head={[say('alerts.name'), say('alerts.kind'), say('alerts.channel'), say('workflows.state'), say('workflows.actions')]}>
              {rows.map((each) => <Row key={each.id} row={each} />)}
            </Table>
            <h2 className="mt-8 mb-2">{say('alerts.history')}</h2>
            {!sent.data?.length ? <p className="text-[13px] text-faint">{say('alerts.none')}</p> : (
              <Table label={say('alerts.history')} head={[say('letters.at'), say('alerts.kind'), say('alerts.channel'), say('workflows.state')]}>
                {sent.data.map((each) => (
                  <tr key={each.id}>
                    <td className="px-4 py-2 whitespace-nowrap text-soft" title={absolute(each.at, language)}>{ago(each.at, language)}</td>
                    <td className="px-4">{each.title} {each.is_test && <span className="rounded-md bg-sunk px-1.5 text-[11px] text-soft">{say('alerts.isTest')}</span>}</td>
                    <td className="px-4 text-soft">{worded(say, `alerts.channel.${each.kind}`, each.kind)} <span className="text-xs text-faint">{each.to}</span></td>
                    <td className={`px-4 ${each.state === 'failed' ? 'text-bad' : each.state === 'sent' ? 'text-good' : 'text-soft'}`}>{worded(say, `alerts.state.${each.state}`, each.state)} <span className="text-xs">{each.error}</span></td>
                  </tr>
                ))}
              </Table>
            )}
          </>
        )}
      </Listing>
      {isNew && <New onClose={() => setNew(false)} onMade={setSecret} />}
      <Once title={say('alerts.secret')} value={secret} onClose={() => setSecret(null)} />
    </Page>
  );
}

function Row({ row }: { row: AlertRow }) {
  const { say } = useWords();
  const may = useMay();
  const path = { alert_id: row.id };
  const test = useAct(() => call('POST /alerts/{alert_id}/test', { path }), ['alerts'], () => void toast(say('alerts.tested')));
  const flip = useAct(() => call('PUT /alerts/{alert_id}', { path, body: { is_active: !row.is_active } }), ['alerts']);
  const remove = useAct(() => call('DELETE /alerts/{alert_id}', { path }), ['alerts']);
  return (
    <tr>
      <td className="px-4 py-2.5 font-medium">{row.name}</td>
      <td className="px-4">{worded(say, `alerts.kind.${row.kind}`, row.kind)} {row.percent !== null && <span className="text-xs text-faint">{row.percent} %</span>}{row.over_s !== null && <span className="text-xs text-faint">{row.over_s} s</span>}</td>
      <td className="px-4">{row.channels.map((each, at) => <p key={at}>{worded(say, `alerts.channel.${each.kind}`, each.kind)} <span className="text-xs break-all text-faint">{where(each)}</span></p>)}</td>
      <td className="px-4 text-soft">{say(row.is_active ? 'workflows.active' : 'triggers.paused')}</td>
      <td className="px-4 py-2">{may('alert.manage') && (
        <div className="flex flex-wrap gap-1.5">
          <Button aria-label={`${say('alerts.test')}: ${row.name}`} busy={test.isPending} onClick={() => test.mutate()}>{say('alerts.test')}</Button>
          <Button busy={flip.isPending} onClick={() => flip.mutate()}>{say(row.is_active ? 'triggers.pause' : 'triggers.resume')}</Button>
          <Button look="danger" aria-label={`${say('app.delete')}: ${row.name}`} busy={remove.isPending} onClick={() => window.confirm(say('alerts.deleteAsk', { name: row.name })) && remove.mutate()}>{say('app.delete')}</Button>
        </div>
      )}</td>
    </tr>
  );
}

function New({ onClose, onMade }: { onClose: () => void; onMade: (secret: string | null) => void }) {
  const { say } = useWords();
  const [kind, setKind] = useState<string>('failure');
  const [channel, setChannel] = useState<string>('email');
  const make = useAct((body: object) => call('POST /alerts', { body }), ['alerts'], (made) => { onClose(); onMade(made.channels.find((each) => each.secret)?.secret ?? null); });
  const send = (form: HTMLFormElement) => {
    const { name, to, url, over, percent, cooldown } = Object.fromEntries(new FormData(form)) as Record<string, string | undefined>;
    const target = channel === 'email' ? { kind: channel, to: (to ?? '').split(',').map((each) => each.trim()).filter(Boolean) } : { kind: channel, url };
    make.mutate({ name, kind, channels: [target], ...(over ? { over_s: Number(over) } : {}), ...(percent ? { percent: Number(percent) } : {}), ...(cooldown ? { cooldown_s: Number(cooldown) * 60 } : {}) });
  };
  return (
    <Dialog title={say('alerts.new')} isOpen onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => { event.preventDefault(); send(event.currentTarget); }}>
        <Field label={say('alerts.name')}>{(id) => <Input id={id} name="name" required autoFocus />}</Field>
        <Field label={say('alerts.kind')}>{(id) => <Choice id={id} value={kind} onChange={(event) => setKind(event.target.value)}>{KINDS.map((each) => <option key={each} value={each}>{say(`alerts.kind.${each}`)}</option>)}</Choice>}</Field>
        {LATE.has(kind) && <Field label={say('alerts.over')}>{(id) => <Input id={id} name="over" type="number" min={1} required={kind === 'slow'} />}</Field>}
        {SHARES.has(kind) && <Field label={say('alerts.percent')}>{(id) => <Input id={id} name="percent" type="number" min={1} max={100} defaultValue={80} />}</Field>}
        <Field label={say('alerts.channel')}>{(id) => <Choice id={id} value={channel} onChange={(event) => setChannel(event.target.value)}>{CHANNELS.map((each) => <option key={each} value={each}>{say(`alerts.channel.${each}`)}</option>)}</Choice>}</Field>
        {channel === 'email' && <Field label={say('alerts.to')}>{(id) => <Input id={id} name="to" required />}</Field>}
        {channel !== 'email' && <Field label={say(channel === 'slack' ? 'alerts.slackUrl' : 'alerts.url')}>{(id) => <Input key={channel} id={id} name="url" type="url" required placeholder="https://" />}</Field>}
        <Field label={say('alerts.cooldown')}>{(id) => <Input id={id} name="cooldown" type="number" min={0} defaultValue={10} />}</Field>
        <div className="text-right"><Button type="submit" look="main" busy={make.isPending}>{say('app.save')}</Button></div>
      </form>
    </Dialog>
  );
}
