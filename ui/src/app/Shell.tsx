import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { Activity, Inbox, LayoutTemplate, LogOut, Server, UserRound, Workflow, Zap, type LucideIcon } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';
import { call } from '../api/client';
import { me, queries } from '../api/queries';
import { endSession, onSession, session } from '../api/session';
import { useWords } from '../i18n';
import type { Key } from '../i18n/en';

const PLACES: { to: string; key: Key; icon: LucideIcon; operator?: boolean }[] = [
  { to: '/workflows', key: 'nav.workflows', icon: Workflow },
  { to: '/executions', key: 'nav.executions', icon: Activity },
  { to: '/templates', key: 'nav.templates', icon: LayoutTemplate },
  { to: '/triggers', key: 'nav.triggers', icon: Zap },
  { to: '/dead-letters', key: 'nav.deadLetters', icon: Inbox },
  { to: '/cluster', key: 'nav.cluster', icon: Server, operator: true },
];
const ITEM = 'flex items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-[13px] font-medium text-soft transition hover:bg-sunk hover:text-ink max-lg:justify-center max-lg:px-2';

/** What surrounds every page: where one can go, and who one is. */
export function Shell() {
  const { say } = useWords();
  const navigate = useNavigate();
  const now = useSyncExternalStore(onSession, session);
  const { data } = useQuery({ ...me, enabled: !!now });
  useEffect(() => {
    if (now) return;
    queries.clear();
    void navigate({ to: '/sign-in', search: { to: location.pathname + location.search } });
  }, [now, navigate]);
  const leave = async () => {
    await call('POST /auth/logout').catch(() => undefined);
    endSession();
  };
  return (
    <div className="flex h-full">
      <a href="#content" className="sr-only z-50 rounded-lg bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:absolute focus:top-2 focus:left-2">{say('app.skip')}</a>
      <nav aria-label={say('app.menu')} className="flex w-56 shrink-0 flex-col border-r border-line bg-surface px-3 py-4 max-lg:w-15">
        <Link to="/workflows" className="mb-5 flex items-center gap-2.5 px-2 max-lg:justify-center" aria-label={say('app.name')}>
          <img src="/favicon.svg" alt="" className="size-7" />
          <span className="text-[15px] font-semibold tracking-tight max-lg:hidden">LinkFlow</span>
        </Link>
        <ul className="flex flex-1 flex-col gap-0.5">
          {PLACES.filter((each) => !each.operator || data?.is_operator).map(({ to, key, icon: Icon }) => (
            <li key={to}>
              <Link to={to} aria-label={say(key)} className={ITEM} activeProps={{ className: 'bg-accent-soft !text-accent-text' }}>
                <Icon size={17} aria-hidden /> <span className="max-lg:hidden">{say(key)}</span>
              </Link>
            </li>
          ))}
        </ul>
        <div className="mt-4 border-t border-line pt-3">
          <Link to="/me" aria-label={say('nav.account')} className={ITEM} activeProps={{ className: 'bg-accent-soft !text-accent-text' }}>
            <UserRound size={17} aria-hidden />
            <span className="min-w-0 truncate max-lg:hidden">{data?.name || data?.email || say('nav.account')}</span>
          </Link>
          <button type="button" className={`${ITEM} w-full`} aria-label={say('nav.signOut')} onClick={() => void leave()}>
            <LogOut size={17} aria-hidden /> <span className="max-lg:hidden">{say('nav.signOut')}</span>
          </button>
        </div>
      </nav>
      <main id="content" tabIndex={-1} className="min-w-0 flex-1 overflow-y-auto outline-none">
        <Outlet />
      </main>
    </div>
  );
}
