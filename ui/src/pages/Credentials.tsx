import { useQuery } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import { queries } from '../api/queries';
import type { Credential, CredentialType } from '../api/schema.gen';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Empty, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { CredentialForm } from '../forms/CredentialForm';
import { Listing, useAct } from './Listing';

const TONES: Record<string, string> = { ready: 'text-good', unconnected: 'text-warn', needs_reauth: 'text-bad' };
const LOOK_MS = 2_000;

/** Keys and passwords that workflows use: made, tried, connected; never shown. */
export function Credentials() {
  const { say } = useWords();
  const may = useMay();
  const [open, setOpen] = useState<Credential | 'new' | null>(null);
  const types = useQuery({ queryKey: ['credential-types'], staleTime: Infinity, queryFn: async () => (await call('GET /credential-types')).data });
  const found = useQuery({
    queryKey: ['credentials'], queryFn: async () => (await call('GET /credentials')).data as unknown as Credential[],
    // One that is being connected in another window becomes ready by itself.
    refetchInterval: (query) => query.state.data?.some((each) => each.state === 'unconnected') && LOOK_MS,
  });
  const make = may('credential.create') && <Button look="main" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen('new')}>{say('credentials.new')}</Button>;
  return (
    <Page title={say('credentials.title')} about={say('credentials.about')} actions={!!found.data?.length && make}>
      <Listing found={found}>
        {(rows) => rows.length === 0 ? <Empty icon={<KeyRound size={20} />} title={say('credentials.empty')} about={say('credentials.emptyAbout')}>{make}</Empty> : (
          <Table label={say('credentials.title')} head={[say('credentials.name'), say('credentials.type'), say('credentials.state'), say('credentials.used'), say('workflows.actions')]}>
            {rows.map((each) => <Row key={each.id} row={each} type={types.data?.find((type) => type.name === each.type)} onEdit={() => setOpen(each)} />)}
          </Table>
        )}
      </Listing>
      {open && types.data && <CredentialForm types={types.data} row={open === 'new' ? null : open} onClose={() => setOpen(null)} />}
    </Page>
  );
}

function Row({ row, type, onEdit }: { row: Credential; type?: CredentialType; onEdit: () => void }) {
  const { say, language } = useWords();
  const may = useMay();
  const path = { credential_id: row.id };
  const test = useAct(() => call('POST /credentials/{credential_id}/test', { path }), ['credentials'], (trial) =>
    void (trial.works ? toast.success(say('credentials.works', { ms: Math.round(trial.took_ms) })) : toast.error(say('credentials.worksNot', { message: trial.message }))));
  const connect = useAct(() => call('POST /oauth/authorize', { body: { credential: row.id } }), [], (begun) => {
    window.open(begun.authorization_url, '_blank', 'noopener');
    toast(say('credentials.connecting'));
    void queries.invalidateQueries({ queryKey: ['credentials'] });
  });
  const refresh = useAct(() => call('POST /credentials/{credential_id}/refresh', { path }), ['credentials'], () => void toast.success(say('credentials.refreshed')));
  const remove = useAct(() => call('DELETE /credentials/{credential_id}', { path }), ['credentials'], () => void toast(say('credentials.deleted')));
  const isConnected = row.state === 'ready';
  return (
    <tr>
      <td className="px-4 py-2.5 font-medium">{row.name}</td>
      <td className="px-4 text-soft">{type?.title ?? row.type}</td>
      <td className={`px-4 font-medium whitespace-nowrap ${TONES[row.state] ?? 'text-soft'}`}>{worded(say, `credentials.state.${row.state}`, row.state)}</td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(row.last_used_at, language)}>{row.last_used_at ? ago(row.last_used_at, language) : say('credentials.never')}</td>
      <td className="px-4 py-2">
        <div className="flex flex-wrap gap-1.5">
          {may('credential.update') && (
            <>
              {type?.needs_consent && <Button look={isConnected ? 'plain' : 'main'} aria-label={`${say(isConnected ? 'credentials.reconnect' : 'credentials.connect')}: ${row.name}`} busy={connect.isPending} onClick={() => connect.mutate()}>{say(isConnected ? 'credentials.reconnect' : 'credentials.connect')}</Button>}
              {type?.needs_consent && isConnected && <Button busy={refresh.isPending} onClick={() => refresh.mutate()}>{say('credentials.refresh')}</Button>}
              {type?.is_testable && <Button aria-label={`${say('credentials.test')}: ${row.name}`} busy={test.isPending} onClick={() => test.mutate()}>{say('credentials.test')}</Button>}
              <Button aria-label={`${say('app.change')}: ${row.name}`} onClick={onEdit}>{say('app.change')}</Button>
            </>
          )}
          {may('credential.delete') && <Button look="danger" aria-label={`${say('app.delete')}: ${row.name}`} busy={remove.isPending} onClick={() => window.confirm(say('credentials.deleteAsk', { name: row.name })) && remove.mutate()}>{say('app.delete')}</Button>}
        </div>
      </td>
    </tr>
  );
}
