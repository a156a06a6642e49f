import { Link, Outlet } from '@tanstack/react-router';
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
  return (
    <>
      <nav aria-label={say('settings.title')} className="sticky top-0 z-10 border-b border-line bg-surface">
        <ul className="mx-auto flex w-full max-w-6xl gap-1 overflow-x-auto px-6 lg:px-10">
          {PARTS.filter((each) => may(each.needs)).map(({ to, key }) => (
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
