import { useQuery } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { call } from '../api/client';
import type { Key as ApiKey } from '../api/schema.gen';
import { useWords } from '../i18n';
import type { Key } from '../i18n/en';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Choice, Field, Input } from '../kit/Field';
import { Empty, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Listing, useAct } from './Listing';
import { Once } from './Once';

const SCOPES: Record<string, { key: Key; scopes: string[] }> = {
  all: { key: 'keys.scope.all', scopes: ['*'] },
  read: { key: 'keys.scope.read', scopes: ['read'] },
  run: { key: 'keys.scope.run', scopes: ['read', 'workflow.execute'] },
};
const DAYS = [30, 90, 365, 0];
const DAY_S = 86_400;

/** Keys of one's own for programs; each is shown once. */
export function Keys() {
  const { say } = useWords();
  const [isNew, setNew] = useState(false);
  const [token, setToken] = useState<string | null>(null);
  const found = useQuery({ queryKey: ['keys'], queryFn: async () => (await call('GET /auth/tokens')).data });
  const make = <Button look="main" icon={<Plus size={15} aria-hidden />} onClick={() => setNew(true)}>{say('keys.new')}</Button>;
  return (
    <Page title={say('settings.keys')} about={say('keys.about')} actions={!!found.data?.length && make}>
      <Listing found={found}>
        {(rows) => rows.length === 0 ? <Empty icon={<KeyRound size={20} />} title={say('keys.empty')} about={say('keys.emptyAbout')}>{make}</Empty> : (
          <Table label={say('settings.keys')} head={[say('keys.name'), say('keys.prefix'), say('keys.scopes'), say('keys.used'), say('keys.until'), say('workflows.actions')]}>
            {rows.map((each) => <Row key={each.id} row={each} />)}
          </Table>
        )}
      </Listing>
      <NewKey isOpen={isNew} onClose={() => setNew(false)} onMade={setToken} />
      <Once title={say('keys.shown')} value={token} onClose={() => setToken(null)} />
    </Page>
  );
}

function Row({ row }: { row: ApiKey }) {
  const { say, language } = useWords();
  const named = Object.values(SCOPES).find((each) => [...each.scopes].sort().join() === [...row.scopes].sort().join());
  const remove = useAct(() => call('DELETE /auth/tokens/{key_id}', { path: { key_id: row.id } }), ['keys']);
  return (
    <tr>
      <td className="px-4 py-2.5 font-medium">{row.name}</td>
      <td className="px-4"><code className="font-mono text-xs">{row.prefix}…</code></td>
      <td className="px-4"><span className="flex flex-wrap gap-1">{named ? say(named.key) : row.scopes.map((each) => <code key={each} className="rounded-md bg-sunk px-1.5 font-mono text-[11px] text-soft">{each}</code>)}</span></td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(row.last_used_at, language)}>{row.last_used_at ? ago(row.last_used_at, language) : say('credentials.never')}</td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(row.expires_at, language)}>{row.expires_at ? ago(row.expires_at, language) : say('keys.forever')}</td>
      <td className="px-4"><Button look="danger" aria-label={`${say('members.remove')}: ${row.name}`} busy={remove.isPending} onClick={() => window.confirm(say('keys.removeAsk', { name: row.name })) && remove.mutate()}>{say('members.remove')}</Button></td>
    </tr>
  );
}

function NewKey({ isOpen, onClose, onMade }: { isOpen: boolean; onClose: () => void; onMade: (token: string) => void }) {
  const { say } = useWords();
  const make = useAct((body: object) => call('POST /auth/tokens', { body }), ['keys'], (made) => { onClose(); onMade(made.token); });
  const send = (form: HTMLFormElement) => {
    const { name, may, days } = Object.fromEntries(new FormData(form)) as Record<string, string>;
    make.mutate({ name, scopes: SCOPES[may!]!.scopes, ...(Number(days) ? { expires_in: Number(days) * DAY_S } : {}) });
  };
  return (
    <Dialog title={say('keys.new')} isOpen={isOpen} onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => { event.preventDefault(); send(event.currentTarget); }}>
        <Field label={say('keys.name')}>{(id) => <Input id={id} name="name" required maxLength={255} autoFocus />}</Field>
        <Field label={say('keys.scopes')}>{(id) => <Choice id={id} name="may">{Object.entries(SCOPES).map(([each, { key }]) => <option key={each} value={each}>{say(key)}</option>)}</Choice>}</Field>
        <Field label={say('keys.until')}>{(id) => <Choice id={id} name="days" defaultValue={90}>{DAYS.map((each) => <option key={each} value={each}>{each ? say('keys.days', { n: each }) : say('keys.forever')}</option>)}</Choice>}</Field>
        <div className="text-right"><Button type="submit" look="main" busy={make.isPending}>{say('keys.new')}</Button></div>
      </form>
    </Dialog>
  );
}
