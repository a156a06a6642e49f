import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useMay } from '../api/may';
import { useWords } from '../i18n';
import type { Key } from '../i18n/en';

const PARTS = [
  { to: '/admin/members', key: 'settings.members', needs: 'member.view' },
  { to: '/admin/workspaces', key: 'settings.workspaces', needs: 'workspace.view' },
  { to: '/admin/keys', key: 'settings.keys', needs: 'apikey.manage' },
  { to: '/admin/variables', key: 'settings.variables', needs: 'variable.view' },
  { to: '/admin/subscriptions', key: 'settings.subscriptions', needs: 'webhook.view' },
  { to: '/admin/usage', key: 'settings.usage', needs: 'workspace.view' },
  { to: '/admin/audit', key: 'settings.audit', needs: 'audit.view' },
] as const satisfies readonly { to: string; key: Key; needs: string }[];

/** What surrounds the pages about the workspace: the way from one to the other. */
export function Settings() {
  const { say } = useWords();
  const may = useMay();
  const parts = PARTS.filter((each) => may(each.needs));
  const list = useRef<HTMLUListElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' }), [path, parts.length]);
  return (
    <>
      <nav aria-label={say('settings.title')} className="sticky top-0 z-10 border-b border-line bg-surface">
        <ul ref={list} className="mx-auto flex w-full max-w-6xl gap-1 overflow-x-auto px-1.5 sm:px-3.5 lg:px-7.5">
          {parts.map(({ to, key }) => (
            <li key={to}>
              <Link to={to} className="-mb-px block border-b-2 border-transparent px-2.5 py-2.5 text-[13px] font-medium whitespace-nowrap text-soft hover:text-ink" activeProps={{ className: '!border-accent !text-accent-text' }}>{say(key)}</Link>
            </li>
          ))}
        </ul>
      </nav>
      <Outlet />
    </>
  );
}
