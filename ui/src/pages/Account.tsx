import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { me } from '../api/queries';
import type { SignInLine } from '../api/schema.gen';
import { endSession, session } from '../api/session';
import { LANGUAGES, speak, useWords, worded, type Language } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Choice, Field, Input } from '../kit/Field';
import { Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { setTheme, theme, type Theme } from '../kit/theme';
import { Listing, useAct } from './Listing';

const fields = (event: FormEvent<HTMLFormElement>) => {
  event.preventDefault();
  return Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
};

/** How one is called, how LinkFlow looks and speaks, one's password, and where one is signed in. */
export function Account() {
  const { say } = useWords();
  const found = useQuery(me);
  const save = useAct((name: string) => call('PUT /auth/me', { body: { name } }), ['me'], () => void toast.success(say('account.saved')));
  return (
    <Page title={say('account.title')} about={say('account.about')}>
      <Listing found={found}>
        {(own) => (
          <div className="grid max-w-4xl grid-cols-1 items-start gap-5 md:grid-cols-2">
            <Framed title={say('account.title')}>
              <form className="flex flex-col gap-4" onSubmit={(event) => save.mutate(fields(event).name ?? '')}>
                <Unverified email={own.email} />
                <Field label={say('account.name')}>{(id) => <Input id={id} name="name" required defaultValue={own.name} />}</Field>
                <Field label={say('account.email')}>{(id) => <Input id={id} value={own.email} disabled readOnly />}</Field>
                <Field label={say('account.workspace')}>{(id) => <Input id={id} value={worded(say, `role.${own.role}`, own.role)} disabled readOnly />}</Field>
                <div><Button type="submit" look="main" busy={save.isPending}>{say('app.save')}</Button></div>
              </form>
            </Framed>
            <div className="flex flex-col gap-5"><Look /><Password /></div>
            <div className="md:col-span-2"><SignIns /></div>
            <Close />
          </div>
        )}
      </Listing>
    </Page>
  );
}

function Framed({ title, children }: { title: string; children: ReactNode }) {
  return <section aria-label={title} className="rounded-xl border border-line bg-surface p-5 shadow-[var(--shadow)]"><h2 className="mb-3">{title}</h2>{children}</section>;
}

function Unverified({ email }: { email: string }) {
  const { say } = useWords();
  const send = useAct(() => call('POST /auth/resend-verification-email', { body: { email } }), [], () => void toast(say('account.resent')));
  if (session()?.user.email_verified !== false) return null;
  return <p className="flex flex-wrap items-center gap-2 rounded-lg bg-warn-soft px-3 py-2 text-[13px] text-warn">{say('account.unverified')} <Button busy={send.isPending} onClick={() => send.mutate()}>{say('account.resend')}</Button></p>;
}

function Look() {
  const { say, language } = useWords();
  const [look, setLook] = useState(theme());
  return (
    <Framed title={say('account.look')}>
      <div className="flex flex-col gap-4">
        <Field label={say('theme.label')}>
          {(id) => <Choice id={id} value={look} onChange={(event) => { setTheme(event.target.value as Theme); setLook(event.target.value as Theme); }}>{(['system', 'light', 'dark'] as const).map((each) => <option key={each} value={each}>{say(`theme.${each}`)}</option>)}</Choice>}
        </Field>
        <Field label={say('language.label')}>
          {(id) => <Choice id={id} value={language} onChange={(event) => void speak(event.target.value as Language)}>{Object.entries(LANGUAGES).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}</Choice>}
        </Field>
      </div>
    </Framed>
  );
}

function Password() {
  const { say } = useWords();
  const change = useAct(({ form, ...body }: { form: HTMLFormElement; current_password: string; password: string }) => call('PUT /auth/change-password', { body }).then(() => form), ['sign-ins'], (form) => { form.reset(); toast.success(say('account.passwordChanged')); });
  return (
    <Framed title={say('account.password')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => { const { now = '', fresh = '' } = fields(event); change.mutate({ form: event.currentTarget, current_password: now, password: fresh }); }}>
        <Field label={say('account.passwordNow')}>{(id) => <Input id={id} name="now" type="password" autoComplete="current-password" required />}</Field>
        <Field label={say('account.passwordNew')} hint={say('signIn.passwordHint')}>{(id, described) => <Input id={id} aria-describedby={described} name="fresh" type="password" autoComplete="new-password" minLength={8} required />}</Field>
        <div><Button type="submit" busy={change.isPending}>{say('account.passwordChange')}</Button></div>
      </form>
    </Framed>
  );
}

function SignIns() {
  const { say, language } = useWords();
  const found = useQuery({ queryKey: ['sign-ins'], queryFn: async () => (await call('GET /auth/sign-ins')).data });
  const end = useAct((row: SignInLine) => call('DELETE /auth/sign-ins/{sign_in_id}', { path: { sign_in_id: row.id } }), ['sign-ins'], (_, row) => (row.is_current ? endSession() : void toast(say('account.ended'))));
  const all = useAct(() => call('DELETE /auth/sign-ins'), [], endSession);
  return (
    <section aria-label={say('account.signIns')}>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-3"><h2>{say('account.signIns')}</h2><Button look="danger" busy={all.isPending} onClick={() => window.confirm(say('account.endAllAsk')) && all.mutate()}>{say('account.endAll')}</Button></div>
      <Listing found={found}>
        {(rows) => (
          <Table label={say('account.signIns')} head={[say('account.device'), say('account.address'), say('account.since'), say('workflows.actions')]}>
            {rows.map((each) => (
              <tr key={each.id}>
                <td className="max-w-sm truncate px-4 py-2.5" title={each.device}>{each.client_id || each.device || say('account.unknownDevice')} {each.is_current && <span className="rounded-md bg-good-soft px-1.5 text-[11px] text-good">{say('account.thisOne')}</span>}</td>
                <td className="px-4 text-soft">{each.address}</td>
                <td className="px-4 whitespace-nowrap text-soft" title={absolute(each.created_at, language)}>{ago(each.created_at, language)}</td>
                <td className="px-4"><Button busy={end.isPending && end.variables?.id === each.id} onClick={() => end.mutate(each)}>{say('account.end')}</Button></td>
              </tr>
            ))}
          </Table>
        )}
      </Listing>
    </section>
  );
}

function Close() {
  const { say } = useWords();
  const [isOpen, setOpen] = useState(false);
  const close = useAct((password: string) => call('DELETE /auth/me', { body: { password } }), [], endSession);
  return (
    <div>
      <Button look="danger" onClick={() => setOpen(true)}>{say('account.close')}</Button>
      <Dialog title={say('account.close')} about={say('account.closeAbout')} isOpen={isOpen} onClose={() => setOpen(false)} closeLabel={say('app.close')}>
        <form className="flex flex-col gap-4" onSubmit={(event) => close.mutate(fields(event).password ?? '')}>
          <Field label={say('account.passwordNow')}>{(id) => <Input id={id} name="password" type="password" autoComplete="current-password" required autoFocus />}</Field>
          <div className="text-right"><Button type="submit" look="danger" busy={close.isPending}>{say('account.close')}</Button></div>
        </form>
      </Dialog>
    </div>
  );
}
