/** Every address of the editor; what a page shows is in the address. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router';
import { session, workspace } from '../api/session';
import { Home } from '../pages/Home';
import { NotFound } from '../pages/NotFound';
import { SignIn } from '../pages/SignIn';
import { Workflows } from '../pages/Workflows';
import { Torn } from './Broken';
import { Shell } from './Shell';

const text = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : undefined);

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });
const signIn = createRoute({
  getParentRoute: () => root, path: '/sign-in', component: SignIn,
  validateSearch: (found: Record<string, unknown>): { to?: string; new?: string; forgot?: string; failed?: string } => ({ to: text(found.to), new: text(found.new), forgot: text(found.forgot), failed: text(found.failed) }),
});
const inside = createRoute({
  getParentRoute: () => root, id: 'inside', component: Shell,
  validateSearch: (found: Record<string, unknown>): { in?: string } => ({ in: text(found.in) }),
  // Every address names its workspace, unless that is one's own; `in` is read once, by the session, when a page is loaded.
  search: { middlewares: [({ search, next }) => ({ ...next(search), ...(workspace() && { in: workspace() }) })] },
  beforeLoad: ({ location }) => {
    // The ticket of a sign-in elsewhere comes behind the `#`; the page of signing in takes it from there.
    if (!session()) throw redirect({ to: '/sign-in', search: location.hash ? {} : { to: location.href }, hash: location.hash });
  },
});
const home = createRoute({ getParentRoute: () => inside, path: '/', component: Home });
const workflows = createRoute({
  getParentRoute: () => inside, path: '/workflows', component: Workflows,
  validateSearch: (found: Record<string, unknown>): { q?: string; tag?: string; new?: string } => ({ q: text(found.q), tag: text(found.tag), new: text(found.new) }),
});
const templates = createRoute({ getParentRoute: () => inside, path: '/templates', component: lazyRouteComponent(() => import('../pages/Templates'), 'Templates') });
const edit = createRoute({
  getParentRoute: () => inside, path: '/w/$workflowId/edit', component: lazyRouteComponent(() => import('../editor/Editor'), 'Editor'),
  validateSearch: (found: Record<string, unknown>): { node?: string; exec?: string } => ({ node: text(found.node), exec: text(found.exec) }),
});
const versions = createRoute({
  getParentRoute: () => inside, path: '/w/$workflowId/versions', component: lazyRouteComponent(() => import('../pages/Versions'), 'Versions'),
  validateSearch: (found: Record<string, unknown>): { from?: string; to?: string } => ({ from: text(found.from), to: text(found.to) }),
});
const executions = createRoute({
  getParentRoute: () => inside, path: '/executions', component: lazyRouteComponent(() => import('../pages/Executions'), 'Executions'),
  validateSearch: (found: Record<string, unknown>): { status?: string; workflow?: string; q?: string; from?: string; to?: string } => ({ status: text(found.status), workflow: text(found.workflow), q: text(found.q), from: text(found.from), to: text(found.to) }),
});
const execution = createRoute({
  getParentRoute: () => inside, path: '/executions/$executionId', component: lazyRouteComponent(() => import('../pages/Execution'), 'Execution'),
  validateSearch: (found: Record<string, unknown>): { view?: string; node?: string } => ({ view: text(found.view), node: text(found.node) }),
});
const triggers = createRoute({ getParentRoute: () => inside, path: '/triggers', component: lazyRouteComponent(() => import('../pages/Triggers'), 'Triggers') });
const letters = createRoute({ getParentRoute: () => inside, path: '/dead-letters', component: lazyRouteComponent(() => import('../pages/DeadLetters'), 'DeadLetters') });
const cluster = createRoute({ getParentRoute: () => inside, path: '/cluster', component: lazyRouteComponent(() => import('../pages/Cluster'), 'Cluster') });
const account = createRoute({ getParentRoute: () => inside, path: '/me', component: lazyRouteComponent(() => import('../pages/Account'), 'Account') });
const inbox = createRoute({
  getParentRoute: () => inside, path: '/inbox', component: lazyRouteComponent(() => import('../pages/Inbox'), 'Inbox'),
  validateSearch: (found: Record<string, unknown>): { state?: string; webhook?: string; event?: string } => ({ state: text(found.state), webhook: text(found.webhook), event: text(found.event) }),
});
const approvals = createRoute({
  getParentRoute: () => inside, path: '/approvals', component: lazyRouteComponent(() => import('../pages/Approvals'), 'Approvals'),
  validateSearch: (found: Record<string, unknown>): { id?: string; status?: string; mine?: string } => ({ id: text(found.id), status: text(found.status), mine: text(found.mine) }),
});
const alerts = createRoute({ getParentRoute: () => inside, path: '/alerts', component: lazyRouteComponent(() => import('../pages/Alerts'), 'Alerts') });
const credentials = createRoute({ getParentRoute: () => inside, path: '/credentials', component: lazyRouteComponent(() => import('../pages/Credentials'), 'Credentials') });
const insights = createRoute({
  getParentRoute: () => inside, path: '/insights', component: lazyRouteComponent(() => import('../pages/Insights'), 'Insights'),
  validateSearch: (found: Record<string, unknown>): { range?: string } => ({ range: text(found.range) }),
});
const jobs = createRoute({ getParentRoute: () => inside, path: '/jobs', component: lazyRouteComponent(() => import('../pages/Jobs'), 'Jobs') });

const settings = createRoute({ getParentRoute: () => inside, path: '/admin', component: lazyRouteComponent(() => import('../pages/Settings'), 'Settings') });
const settingsFirst = createRoute({
  getParentRoute: () => settings, path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/admin/members', replace: true });
  },
});
const members = createRoute({ getParentRoute: () => settings, path: '/members', component: lazyRouteComponent(() => import('../pages/Members'), 'Members') });
const workspaces = createRoute({ getParentRoute: () => settings, path: '/workspaces', component: lazyRouteComponent(() => import('../pages/Workspaces'), 'Workspaces') });
const keys = createRoute({ getParentRoute: () => settings, path: '/keys', component: lazyRouteComponent(() => import('../pages/Keys'), 'Keys') });
const variables = createRoute({ getParentRoute: () => settings, path: '/variables', component: lazyRouteComponent(() => import('../pages/Variables'), 'Variables') });
const subscriptions = createRoute({ getParentRoute: () => settings, path: '/subscriptions', component: lazyRouteComponent(() => import('../pages/Subscriptions'), 'Subscriptions') });
const usage = createRoute({ getParentRoute: () => settings, path: '/usage', component: lazyRouteComponent(() => import('../pages/Usage'), 'Usage') });
const audit = createRoute({
  getParentRoute: () => settings, path: '/audit', component: lazyRouteComponent(() => import('../pages/Audit'), 'Audit'),
  validateSearch: (found: Record<string, unknown>): { action?: string } => ({ action: text(found.action) }),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    inside.addChildren([
      home, workflows, templates, edit, versions, executions, execution, triggers, letters, cluster, account,
      inbox, approvals, alerts, credentials, insights, jobs,
      settings.addChildren([settingsFirst, members, workspaces, keys, variables, subscriptions, usage, audit]),
    ]),
  ]),
  defaultErrorComponent: Torn,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
