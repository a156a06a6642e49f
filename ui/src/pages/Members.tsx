import { useQuery } from '@tanstack/react-query';
import { UserPlus } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import { me } from '../api/queries';
import { session } from '../api/session';
import type { Invitation, Member } from '../api/schema.gen';
import { useWords } from '../i18n';
import type { Key } from '../i18n/en';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Choice, Field, Input } from '../kit/Field';
import { Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Leave } from './Leave';
import { Listing, useAct } from './Listing';
import { Once } from './Once';

const ROLES = ['owner', 'admin', 'member', 'viewer'] as const;
type Role = (typeof ROLES)[number];
const roleKey = (role: string) => `role.${role}` as Key;

/** The roles that somebody may give, or take from others: their own and lesser ones. */
function below(role: string): readonly Role[] {
  return ROLES.slice(Math.max(0, ROLES.indexOf(role as Role)));
}

/** Who belongs to the workspace, and who is invited. */
export function Members() {
  const { say, language } = useWords();
  const may = useMay();
  const [isInviting, setInviting] = useState(false);
  const [link, setLink] = useState<{ email: string; link: string } | null>(null);
  const members = useQuery({ queryKey: ['members'], queryFn: async () => (await call('GET /members')).data });
  const canInvite = may('member.invite');
  const invited = useQuery({ queryKey: ['invitations'], enabled: canInvite, queryFn: async () => (await call('GET /invitations')).data });
  return (
    <Page title={say('settings.members')} about={say('members.about')} actions={canInvite && <Button look="main" icon={<UserPlus size={15} aria-hidden />} onClick={() => setInviting(true)}>{say('members.invite')}</Button>}>
      <Listing found={members}>
        {(rows) => (
          <Table label={say('settings.members')} head={[say('members.name'), say('members.role'), say('members.joined'), say('workflows.actions')]}>
            {rows.map((each) => <Row key={each.user_id} row={each} />)}
          </Table>
        )}
      </Listing>
      {!!invited.data?.length && (
        <>
          <h2 className="mt-8 mb-2">{say('members.invited')}</h2>
          <Table label={say('members.invited')} head={[say('members.email'), say('members.role'), say('members.until'), say('workflows.actions')]}>
            {invited.data.map((each) => <Asked key={each.id} row={each} language={language} />)}
          </Table>
        </>
      )}
      <Invite isOpen={isInviting} onClose={() => setInviting(false)} onMade={setLink} />
      <Once title={say('members.invitedTo', { email: link?.email })} about={say('members.link')} value={link?.link ?? null} onClose={() => setLink(null)} />
    </Page>
  );
}

function Row({ row }: { row: Member }) {
  const { say, language } = useWords();
  const may = useMay();
  const { data: own } = useQuery(me);
  const name = row.name || row.email;
  const roles = below(own?.role ?? 'viewer');
  const isMine = own?.id === row.user_id;
  const change = useAct((role: string) => call('PUT /members/{user_id}', { path: { user_id: row.user_id }, body: { role } }), ['members', 'me'], () => void toast.success(say('members.changed')));
  const remove = useAct(() => call('DELETE /members/{user_id}', { path: { user_id: row.user_id } }), ['members'], () => void toast(say('members.removed')));
  const [isLeaving, setLeaving] = useState(false);
  const isMovable = !isMine && roles.includes(row.role as Role);
  return (
    <tr>
      <td className="px-4 py-2.5"><p className="font-medium">{name} {isMine && <span className="rounded-md bg-sunk px-1.5 text-[11px] font-normal text-soft">{say('members.you')}</span>}</p>{row.name && <p className="text-xs text-faint">{row.email}</p>}</td>
      <td className="px-4">
        {may('member.update') && isMovable ? (
          <Choice aria-label={say('members.roleOf', { name })} className="!w-40" value={row.role} disabled={change.isPending} onChange={(event) => change.mutate(event.target.value)}>
            {roles.map((each) => <option key={each} value={each}>{say(roleKey(each))}</option>)}
          </Choice>
        ) : say(roleKey(row.role))}
      </td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(row.joined_at, language)}>{ago(row.joined_at, language)}</td>
      <td className="px-4">
        {isMine && own.workspace_id !== session()?.user.workspace_id && <Button onClick={() => setLeaving(true)}>{say('workspaces.leave')}</Button>}
        {isLeaving && own && <Leave workspace={{ id: own.workspace_id, name: say('workspaces.this') }} onClose={() => setLeaving(false)} />}
        {may('member.remove') && isMovable && <Button look="danger" aria-label={`${say('members.remove')}: ${name}`} busy={remove.isPending} onClick={() => window.confirm(say('members.removeAsk', { name })) && remove.mutate()}>{say('members.remove')}</Button>}
      </td>
    </tr>
  );
}

function Asked({ row, language }: { row: Invitation; language: string }) {
  const { say } = useWords();
  const revoke = useAct(() => call('DELETE /invitations/{invitation_id}', { path: { invitation_id: row.id } }), ['invitations'], () => void toast(say('members.revoked')));
  return (
    <tr>
      <td className="px-4 py-2.5 font-medium">{row.email}</td>
      <td className="px-4">{say(roleKey(row.role))}</td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(row.expires_at, language)}>{ago(row.expires_at, language)}</td>
      <td className="px-4"><Button aria-label={`${say('members.revoke')}: ${row.email}`} busy={revoke.isPending} onClick={() => revoke.mutate()}>{say('members.revoke')}</Button></td>
    </tr>
  );
}

function Invite({ isOpen, onClose, onMade }: { isOpen: boolean; onClose: () => void; onMade: (made: { email: string; link: string }) => void }) {
  const { say } = useWords();
  const { data: own } = useQuery(me);
  const invite = useAct((body: object) => call('POST /invitations', { body }), ['invitations'], (made) => { onClose(); onMade(made); });
  return (
    <Dialog title={say('members.invite')} isOpen={isOpen} onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => { event.preventDefault(); invite.mutate(Object.fromEntries(new FormData(event.currentTarget))); }}>
        <Field label={say('members.email')}>{(id) => <Input id={id} name="email" type="email" required autoFocus />}</Field>
        <Field label={say('members.role')}>{(id) => <Choice id={id} name="role" defaultValue="member">{below(own?.role ?? 'viewer').filter((each) => each !== 'owner').map((each) => <option key={each} value={each}>{say(roleKey(each))}</option>)}</Choice>}</Field>
        <div className="text-right"><Button type="submit" look="main" busy={invite.isPending}>{say('members.invite')}</Button></div>
      </form>
    </Dialog>
  );
}
