import { useQuery } from '@tanstack/react-query';
import { Building2, Plus } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { me, workspaces } from '../api/queries';
import type { Workspace } from '../api/schema.gen';
import { enterWorkspace, session } from '../api/session';
import { useWords } from '../i18n';
import type { Key } from '../i18n/en';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Field, Input } from '../kit/Field';
import { Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Leave } from './Leave';
import { Listing, useAct } from './Listing';

const MOST_LETTERS = 100;

/** The workspaces that one belongs to: go to another, make one, rename, leave or delete one. */
export function Workspaces() {
  const { say } = useWords();
  const [isNew, setNew] = useState(false);
  const [left, setLeft] = useState<Workspace | null>(null);
  const [named, setNamed] = useState<Workspace | null>(null);
  const [doomed, setDoomed] = useState<Workspace | null>(null);
  const found = useQuery(workspaces);
  return (
    <Page title={say('settings.workspaces')} about={say('workspaces.about')} actions={<Button look="main" icon={<Plus size={15} aria-hidden />} onClick={() => setNew(true)}>{say('workspaces.new')}</Button>}>
      <Listing found={found}>
        {(rows) => (
          <Table label={say('settings.workspaces')} head={[say('members.name'), say('members.role'), say('workspaces.made'), say('workflows.actions')]}>
            {rows.map((each) => <Row key={each.id} row={each} onLeave={() => setLeft(each)} onRename={() => setNamed(each)} onDelete={() => setDoomed(each)} />)}
          </Table>
        )}
      </Listing>
      {isNew && <New onClose={() => setNew(false)} />}
      {named && <Rename row={named} onClose={() => setNamed(null)} />}
      {left && <Leave workspace={left} onClose={() => setLeft(null)} />}
      {doomed && <Delete row={doomed} onClose={() => setDoomed(null)} />}
    </Page>
  );
}

function Row({ row, onLeave, onRename, onDelete }: { row: Workspace; onLeave: () => void; onRename: () => void; onDelete: () => void }) {
  const { say, language } = useWords();
  const { data: own } = useQuery(me);
  const isHere = own?.workspace_id === row.id;
  const isPersonal = session()?.user.workspace_id === row.id;
  const badge = 'rounded-md bg-sunk px-1.5 text-[11px] font-normal text-soft';
  return (
    <tr>
      <td className="px-4 py-2.5">
        <p className="flex flex-wrap items-center gap-1.5 font-medium"><Building2 size={15} className="text-faint" aria-hidden /> {row.name} {isHere && <span className={badge}>{say('workspaces.here')}</span>} {isPersonal && <span className={badge}>{say('workspaces.personal')}</span>}</p>
      </td>
      <td className="px-4">{say(`role.${row.role}` as Key)}</td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(row.created_at, language)}>{ago(row.created_at, language)}</td>
      <td className="px-4 py-2">
        <div className="flex flex-wrap gap-1.5">
          {!isHere && <Button aria-label={`${say('workspaces.enter')}: ${row.name}`} onClick={() => enterWorkspace(row.id)}>{say('workspaces.enter')}</Button>}
          {['owner', 'admin'].includes(row.role) && <Button aria-label={`${say('workspaces.rename')}: ${row.name}`} onClick={onRename}>{say('workspaces.rename')}</Button>}
          {!isPersonal && <Button aria-label={`${say('workspaces.leave')}: ${row.name}`} onClick={onLeave}>{say('workspaces.leave')}</Button>}
          {!isPersonal && row.role === 'owner' && <Button look="danger" aria-label={`${say('app.delete')}: ${row.name}`} onClick={onDelete}>{say('app.delete')}</Button>}
        </div>
      </td>
    </tr>
  );
}

/** Makes one and goes there at once. */
function New({ onClose }: { onClose: () => void }) {
  const { say } = useWords();
  const make = useAct((name: string) => call('POST /workspaces', { body: { name } }), [], (made) => enterWorkspace(made.id));
  return <Called title={say('workspaces.new')} about={say('workspaces.newAbout')} isBusy={make.isPending} onClose={onClose} onSay={(name) => make.mutate(name)} />;
}

function Rename({ row, onClose }: { row: Workspace; onClose: () => void }) {
  const { say } = useWords();
  const save = useAct((name: string) => call('PUT /workspaces/{workspace_id}', { path: { workspace_id: row.id }, body: { name } }), ['workspaces'], () => { toast.success(say('account.saved')); onClose(); });
  return <Called title={say('workspaces.rename')} name={row.name} isBusy={save.isPending} onClose={onClose} onSay={(name) => save.mutate(name)} />;
}

function Called({ title, about, name, isBusy, onClose, onSay }: { title: string; about?: string; name?: string; isBusy: boolean; onClose: () => void; onSay: (name: string) => void }) {
  const { say } = useWords();
  return (
    <Dialog title={title} about={about} isOpen onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => { event.preventDefault(); onSay(String(new FormData(event.currentTarget).get('name')).trim()); }}>
        <Field label={say('members.name')}>{(id) => <Input id={id} name="name" defaultValue={name} required pattern=".*\S.*" maxLength={MOST_LETTERS} autoFocus />}</Field>
        <div className="text-right"><Button type="submit" look="main" busy={isBusy}>{say(name === undefined ? 'workspaces.make' : 'app.save')}</Button></div>
      </form>
    </Dialog>
  );
}

/** Asks for the name, so that nobody deletes the wrong one. */
function Delete({ row, onClose }: { row: Workspace; onClose: () => void }) {
  const { say } = useWords();
  const [typed, setTyped] = useState('');
  const { data: own } = useQuery(me);
  const remove = useAct(() => call('DELETE /workspaces/{workspace_id}', { path: { workspace_id: row.id } }), ['workspaces'], () => (own?.workspace_id === row.id ? enterWorkspace('') : (toast(say('workspaces.deleted')), onClose())));
  return (
    <Dialog title={say('workspaces.deleteTitle', { name: row.name })} about={say('workspaces.deleteAbout')} isOpen onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => { event.preventDefault(); remove.mutate(); }}>
        <Field label={say('workspaces.deleteType', { name: row.name })}>{(id) => <Input id={id} value={typed} autoComplete="off" required autoFocus onChange={(event) => setTyped(event.target.value)} />}</Field>
        <div className="text-right"><Button type="submit" look="danger" disabled={typed.trim() !== row.name.trim()} busy={remove.isPending}>{say('app.delete')}</Button></div>
      </form>
    </Dialog>
  );
}
