import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState, type FormEvent } from 'react';
import { call } from '../api/client';
import { beginSession, standAt } from '../api/session';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Field, Input } from '../kit/Field';
import { Failed, Loading } from '../kit/Page';

const NAMES: Record<string, string> = { google: 'Google', github: 'GitHub', microsoft: 'Microsoft' };
const TICKET = /^#sign-in=(.+)$/;
/** Where to go after a sign-in elsewhere, which comes back without knowing. */
const KEPT = 'linkflow.to';

/** Where nobody is signed in: sign in, here or elsewhere, create an account, or ask for a new password. */
export function SignIn() {
  const { say } = useWords();
  const navigate = useNavigate();
  const { to: asked, new: fresh, forgot, failed } = useSearch({ from: '/sign-in' });
  const [error, setError] = useState<unknown>(failed ? new Error(worded(say, `entry.failed.${failed}`, say('entry.failed', { code: failed }))) : null);
  const [isBusy, setBusy] = useState(false);
  const [notice, setNotice] = useState('');
  const [ticket] = useState(() => TICKET.exec(location.hash)?.[1]);
  const to = asked ?? ((ticket || failed) && sessionStorage.getItem(KEPT)) ?? undefined;
  const elsewhere = useQuery({ queryKey: ['sign-in-services'], staleTime: Infinity, queryFn: async () => (await call('GET /auth/oauth')).data });
  const title = say(forgot ? 'entry.forgotTitle' : fresh ? 'signIn.registerTitle' : 'signIn.title');
  useEffect(() => {
    document.title = `${title} · LinkFlow`;
  }, [title]);
  const attempt = async (work: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await work();
    } catch (found) {
      setError(found);
    }
    setBusy(false);
  };
  // Only addresses of our own: what comes after `?to=` is anybody's word.
  const enter = () => {
    const href = to && /^\/(?!\/)/.test(to) && !to.startsWith('/sign-in') ? to : '/';
    standAt(new URL(href, location.origin).search);
    return navigate({ href, replace: true });
  };
  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const body = Object.fromEntries(new FormData(event.currentTarget));
    void attempt(async () => {
      if (forgot) {
        await call('POST /auth/forgot-password', { body });
        setNotice(say('entry.forgotSent'));
        return;
      }
      const found = await (fresh ? call('POST /auth/register', { body }) : call('POST /auth/login', { body }));
      if (!('access_token' in found)) return setNotice(found.message); // the address is to be confirmed first
      beginSession(found);
      await enter();
    });
  };
  useEffect(() => {
    if (!ticket) return;
    history.replaceState(null, '', location.pathname + location.search);
    void attempt(async () => {
      beginSession(await call('POST /auth/oauth/exchange', { body: { ticket: decodeURIComponent(ticket) } }));
      await enter();
    });
    // A ticket works once.
    // eslint-disable-next-line
  }, []);
  // Puter gives its token to a script of its own, which this page does not load; other apps sign in with it.
  const services = (elsewhere.data ?? []).filter((each) => each.name !== 'puter');
  return (
    <main className="grid min-h-full place-items-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 text-center">
          <img src="/favicon.svg" alt="" className="mx-auto mb-4 size-12" />
          <h1>{title}</h1>
          <p className="mt-1 text-[13px] text-soft">{say(forgot ? 'entry.forgotAbout' : 'signIn.about')}</p>
        </div>
        {ticket && isBusy ? <Loading label={say('entry.coming')} /> : (
          <form onSubmit={send} className="flex flex-col gap-4 rounded-2xl border border-line bg-surface p-6 shadow-[var(--shadow)]">
            {error !== null && <Failed title={say('app.failed')} error={error} />}
            {notice && <p role="status" className="rounded-lg bg-good-soft px-3 py-2 text-[13px] text-good">{notice}</p>}
            {!forgot && services.length > 0 && (
              <>
                {services.map((each) => <a key={each.name} href={`/api/v1/auth/oauth/${encodeURIComponent(each.name)}`} onClick={() => sessionStorage.setItem(KEPT, to ?? '/')} className="flex h-9 items-center justify-center rounded-lg border border-line text-[13px] font-medium shadow-sm hover:border-line-strong hover:bg-sunk">{say('entry.with', { name: NAMES[each.name] ?? say('entry.sso') })}</a>)}
                <p className="flex items-center gap-3 text-xs text-faint before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">{say('entry.or')}</p>
              </>
            )}
            {fresh && !forgot && <Field label={say('signIn.name')}>{(id) => <Input id={id} name="name" autoComplete="name" required />}</Field>}
            <Field label={say('signIn.email')}>{(id) => <Input id={id} name="email" type="email" autoComplete="username" required autoFocus />}</Field>
            {!forgot && (
              <Field label={say('signIn.password')} hint={fresh ? say('signIn.passwordHint') : undefined}>
                {(id) => <Input id={id} name="password" type="password" autoComplete={fresh ? 'new-password' : 'current-password'} required />}
              </Field>
            )}
            <Button type="submit" look="main" busy={isBusy} className="h-9 w-full">{say(forgot ? 'entry.forgotGo' : fresh ? 'signIn.register' : 'signIn.go')}</Button>
            <div className="flex flex-wrap justify-center gap-x-2">
              {forgot
                ? <Button look="quiet" onClick={() => { setNotice(''); void navigate({ to: '/sign-in', search: { to } }); }}>{say('entry.back')}</Button>
                : <Button look="quiet" onClick={() => void navigate({ to: '/sign-in', search: { to, new: fresh ? undefined : '1' } })}>{say(fresh ? 'signIn.haveOne' : 'signIn.register')}</Button>}
              {!fresh && !forgot && <Button look="quiet" onClick={() => void navigate({ to: '/sign-in', search: { to, forgot: '1' } })}>{say('entry.forgot')}</Button>}
            </div>
          </form>
        )}
        {!fresh && <p className="mt-4 text-center text-xs text-faint">{say('signIn.hint')} <code className="font-mono text-soft">linkflow owner reset-password</code></p>}
      </div>
    </main>
  );
}
