import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { Activity, Bell, ChartColumn, House, Inbox, KeyRound, LayoutTemplate, LogOut, MailWarning, Server, Settings, Timer, UserCheck, UserRound, Workflow, Zap, type LucideIcon } from 'lucide-react';
import { useEffect, useSyncExternalStore } from 'react';
import { call, Problem } from '../api/client';
import { me, queries, workspaces } from '../api/queries';
import { endSession, enterWorkspace, isNamed, onSession, session, workspace } from '../api/session';
import { useWords } from '../i18n';
import { classes } from '../kit/classes';
import { Button } from '../kit/Button';
import { Choice } from '../kit/Field';
import { Page } from '../kit/Page';
import type { Key } from '../i18n/en';

interface Place { to: string; key: Key; icon: LucideIcon; isOperators?: boolean }
const GROUPS: { key: Key; places: Place[] }[] = [
  { key: 'nav.build', places: [
    { to: '/', key: 'nav.home', icon: House },
    { to: '/workflows', key: 'nav.workflows', icon: Workflow },
    { to: '/templates', key: 'nav.templates', icon: LayoutTemplate },
    { to: '/triggers', key: 'nav.triggers', icon: Zap },
    { to: '/credentials', key: 'nav.credentials', icon: KeyRound },
  ] },
  { key: 'nav.watch', places: [
    { to: '/executions', key: 'nav.executions', icon: Activity },
    { to: '/approvals', key: 'nav.approvals', icon: UserCheck },
    { to: '/inbox', key: 'nav.inbox', icon: Inbox },
    { to: '/dead-letters', key: 'nav.deadLetters', icon: MailWarning },
    { to: '/alerts', key: 'nav.alerts', icon: Bell },
    { to: '/insights', key: 'nav.insights', icon: ChartColumn },
  ] },
  { key: 'nav.manage', places: [
    { to: '/admin', key: 'nav.settings', icon: Settings },
    { to: '/cluster', key: 'nav.cluster', icon: Server, isOperators: true },
    { to: '/jobs', key: 'nav.jobs', icon: Timer, isOperators: true },
  ] },
];
const ITEM = 'flex items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-[13px] font-medium text-soft transition hover:bg-sunk hover:text-ink max-lg:justify-center max-lg:px-2 group-data-narrow/nav:justify-center group-data-narrow/nav:px-2';
const WIDE_ONLY = 'max-lg:hidden group-data-narrow/nav:hidden';

/** What surrounds every page: where one can go, and who one is. */
export function Shell() {
  const { say } = useWords();
  const navigate = useNavigate();
  const now = useSyncExternalStore(onSession, session);
  const { data, error } = useQuery({ ...me, enabled: !!now });
  const isStranger = error instanceof Problem && [403, 404].includes(error.status) && !!workspace();
  // A canvas needs the room more than the menu does.
  const isNarrow = useRouterState({ select: (state) => state.location.pathname.startsWith('/w/') });
  useEffect(() => {
    if (now) return;
    queries.clear();
    void navigate({ to: '/sign-in', search: { to: location.pathname + location.search } });
  }, [now, navigate]);
  useEffect(() => {
    if (isStranger && !isNamed()) enterWorkspace('');
  }, [isStranger]);
  const leave = async () => {
    await call('POST /auth/logout').catch(() => undefined);
    endSession();
  };
  return (
    <div className="flex h-full">
      <a href="#content" className="sr-only z-50 rounded-lg bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:absolute focus:top-2 focus:left-2">{say('app.skip')}</a>
      <nav aria-label={say('app.menu')} data-narrow={isNarrow || undefined} className={classes('group/nav flex shrink-0 flex-col border-r border-line bg-surface px-3 py-4 max-lg:w-15 max-sm:w-12 max-sm:px-1.5', isNarrow ? 'w-15' : 'w-56')}>
        <Link to="/" className="mb-5 flex items-center gap-2.5 px-2 max-lg:justify-center max-sm:px-0 group-data-narrow/nav:justify-center" aria-label={say('app.name')}>
          <img src="/favicon.svg" alt="" className="size-7 max-w-none" />
          <span className={classes('text-[15px] font-semibold tracking-tight', WIDE_ONLY)}>LinkFlow</span>
        </Link>
        <div className="-mx-1 flex flex-1 flex-col gap-4 overflow-y-auto px-1">
          {GROUPS.map((group) => (
            <section key={group.key} aria-label={say(group.key)}>
              <p className="mb-1 px-2.5 text-[11px] font-medium tracking-wide text-faint uppercase max-lg:hidden group-data-narrow/nav:hidden" aria-hidden>{say(group.key)}</p>
              <ul className="flex flex-col gap-0.5">
                {group.places.filter((each) => !each.isOperators || data?.is_operator).map(({ to, key, icon: Icon }) => (
                  <li key={to}>
                    <Link to={to} aria-label={say(key)} title={isNarrow ? say(key) : undefined} className={ITEM} activeOptions={{ exact: to === '/' }} activeProps={{ className: 'bg-accent-soft !text-accent-text' }}>
                      <Icon size={17} aria-hidden /> <span className={WIDE_ONLY}>{say(key)}</span>
                    </Link>
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </div>
        <div className="mt-4 border-t border-line pt-3">
          <Workspaces />
          <Link to="/me" aria-label={say('nav.account')} className={ITEM} activeProps={{ className: 'bg-accent-soft !text-accent-text' }}>
            <UserRound size={17} aria-hidden />
            <span className={classes('min-w-0 truncate', WIDE_ONLY)}>{data?.name || data?.email || say('nav.account')}</span>
          </Link>
          <button type="button" className={`${ITEM} w-full`} aria-label={say('nav.signOut')} onClick={() => void leave()}>
            <LogOut size={17} aria-hidden /> <span className={WIDE_ONLY}>{say('nav.signOut')}</span>
          </button>
        </div>
      </nav>
      <main id="content" tabIndex={-1} className="min-w-0 flex-1 overflow-y-auto outline-none">
        {isStranger ? isNamed() && <Stranger /> : <Outlet />}
      </main>
    </div>
  );
}

/** The workspaces that one belongs to, where there are several. */
function Workspaces() {
  const { say } = useWords();
  const own = useQuery(me);
  const found = useQuery(workspaces);
  if (own.isError || !found.data || found.data.length < 2) return null;
  return (
    <Choice aria-label={say('app.workspace')} className={classes('mb-2', WIDE_ONLY)} value={own.data?.workspace_id ?? ''} onChange={(event) => enterWorkspace(event.target.value)}>
      {found.data.map((each) => <option key={each.id} value={each.id}>{each.name} · {say(`role.${each.role}` as Key)}</option>)}
    </Choice>
  );
}

/** Stands for every page of a workspace that one does not belong to. */
function Stranger() {
  const { say } = useWords();
  return (
    <Page title={say('workspaces.stranger')} about={say('workspaces.strangerAbout', { email: session()?.user.email ?? '' })}>
      <Button look="main" onClick={() => enterWorkspace('')}>{say('workspaces.goHome')}</Button>
    </Page>
  );
}
