import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { call } from '../api/client';
import { beginSession } from '../api/session';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Field, Input } from '../kit/Field';
import { Failed } from '../kit/Page';

/** Where nobody is signed in: sign in, or create an account. */
export function SignIn() {
  const { say } = useWords();
  const navigate = useNavigate();
  const { to, new: fresh } = useSearch({ from: '/sign-in' });
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const [isConfirming, setConfirming] = useState(false);
  const enter = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const body = Object.fromEntries(new FormData(event.currentTarget));
    setBusy(true);
    setError(null);
    try {
      const found = await (fresh ? call('POST /auth/register', { body }) : call('POST /auth/login', { body }));
      if (!('access_token' in found)) {
        // Where a mail server is set, the address is confirmed first.
        setBusy(false);
        setConfirming(true);
        await navigate({ to: '/sign-in', search: { to } });
        return;
      }
      beginSession(found);
      // Only addresses of our own: what comes after `?to=` is anybody's word.
      await navigate({ href: to && /^\/(?!\/)/.test(to) && !to.startsWith('/sign-in') ? to : '/', replace: true });
    } catch (found) {
      setError(found);
      setBusy(false);
    }
  };
  return (
    <main className="grid min-h-full place-items-center px-4 py-10">
      <div className="w-full max-w-sm">
        <div className="mb-6 text-center">
          <img src="/favicon.svg" alt="" className="mx-auto mb-4 size-12" />
          <h1>{say(fresh ? 'signIn.registerTitle' : 'signIn.title')}</h1>
          <p className="mt-1 text-[13px] text-soft">{say('signIn.about')}</p>
        </div>
        <form onSubmit={(event) => void enter(event)} className="flex flex-col gap-4 rounded-2xl border border-line bg-surface p-6 shadow-[var(--shadow)]">
          {isConfirming && <p role="status" className="text-[13px]">{say('signIn.confirm')}</p>}
          {error !== null && <Failed title={say('app.failed')} error={error} />}
          {fresh && <Field label={say('signIn.name')}>{(id) => <Input id={id} name="name" autoComplete="name" required />}</Field>}
          <Field label={say('signIn.email')}>{(id) => <Input id={id} name="email" type="email" autoComplete="username" required autoFocus />}</Field>
          <Field label={say('signIn.password')} hint={fresh ? say('signIn.passwordHint') : undefined}>
            {(id) => <Input id={id} name="password" type="password" autoComplete={fresh ? 'new-password' : 'current-password'} required />}
          </Field>
          <Button type="submit" look="main" busy={isBusy} className="h-9 w-full">{say(fresh ? 'signIn.register' : 'signIn.go')}</Button>
          <Button look="quiet" onClick={() => void navigate({ to: '/sign-in', search: { to, new: fresh ? undefined : '1' } })}>{say(fresh ? 'signIn.haveOne' : 'signIn.register')}</Button>
        </form>
        {!fresh && <p className="mt-4 text-center text-xs text-faint">{say('signIn.hint')} <code className="font-mono text-soft">linkflow owner reset-password</code></p>}
      </div>
    </main>
  );
}
