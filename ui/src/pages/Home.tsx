import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Circle, CircleAlert, CircleCheck, LayoutTemplate, Pencil, Play, type LucideIcon } from 'lucide-react';
import { useEffect, useState } from 'react';
import { call } from '../api/client';
import { follow } from '../api/live';
import { me, queries, workflowList } from '../api/queries';
import type { ExecutionLine } from '../api/schema.gen';
import { useMay } from '../api/may';
import { useWords, worded } from '../i18n';
import type { Key } from '../i18n/en';
import { classes } from '../kit/classes';
import { Page } from '../kit/Page';
import { Status } from '../kit/Status';
import { absolute, ago } from '../kit/time';
import { Listing, useAct } from './Listing';

const DAY_S = 86_400;
const MINUTE_S = 60;
const SAMPLE = 'hello';

/** How everything does, what needs somebody, and how to begin. */
export function Home() {
  const { say } = useWords();
  const who = useQuery(me);
  const workflows = useInfiniteQuery(workflowList(''));
  const isEmpty = workflows.data?.pages[0]?.data.length === 0;
  const name = who.data?.name || '';
  useEffect(() => follow('executions', {
    take: () => { void queries.invalidateQueries({ queryKey: ['home'] }); return true; },
    poll: () => queries.invalidateQueries({ queryKey: ['home'] }),
  }), []);
  return (
    <Page title={isEmpty ? say('home.first') : name ? say('home.hello', { name }) : say('home.title')} about={say(isEmpty ? 'home.firstAbout' : 'home.about')}>
      <Listing found={workflows}>{() => (isEmpty ? <Beginnings /> : <Standing names={new Map(workflows.data?.pages.flatMap((page) => page.data).map((each) => [each.id, each.name]))} />)}</Listing>
    </Page>
  );
}

/** The three choices of a first start. */
function Beginnings() {
  const { say } = useWords();
  const may = useMay();
  const navigate = useNavigate();
  const sample = useAct(async () => {
    const made = await call('POST /templates/{slug}/use', { path: { slug: SAMPLE } });
    const run = await call('POST /workflows/{workflow_id}/test-run', { path: { workflow_id: made.id }, body: {} });
    return { workflowId: made.id, exec: run.execution_id };
  }, ['workflows', 'executions'], ({ workflowId, exec }) => void navigate({ to: '/w/$workflowId/edit', params: { workflowId }, search: { exec } }));
  const choices: { key: Key; about: Key; icon: LucideIcon; act: () => void; busy?: boolean; needs: string }[] = [
    { key: 'home.sample', about: 'home.sampleAbout', icon: Play, act: () => sample.mutate(), busy: sample.isPending, needs: 'workflow.execute' },
    { key: 'home.template', about: 'home.templateAbout', icon: LayoutTemplate, act: () => void navigate({ to: '/templates' }), needs: 'workflow.view' },
    { key: 'home.blank', about: 'home.blankAbout', icon: Pencil, act: () => void navigate({ to: '/workflows', search: { new: '1' } }), needs: 'workflow.create' },
  ];
  return (
    <ul className="grid gap-4 md:grid-cols-3">
      {choices.filter((each) => may(each.needs)).map(({ key, about, icon: Icon, act, busy }, at) => (
        <li key={key}>
          <button type="button" aria-label={say(key)} disabled={busy} onClick={act}
            className={classes('flex h-full w-full flex-col items-start rounded-2xl border p-6 text-left shadow-[var(--shadow)] transition hover:border-accent disabled:opacity-60', at === 0 ? 'border-accent bg-accent-soft' : 'border-line bg-surface')}>
            <span className="mb-4 grid size-11 place-items-center rounded-xl bg-accent text-accent-ink"><Icon size={20} aria-hidden /></span>
            <span className="text-[15px] font-semibold">{say(key)}</span>
            <span className="mt-1 text-[13px] text-soft">{say(about)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

const TILES: { key: Key; statuses: string[]; tone: string }[] = [
  { key: 'home.completed', statuses: ['completed'], tone: 'text-good' },
  { key: 'home.failed', statuses: ['failed', 'timed_out'], tone: 'text-bad' },
  { key: 'home.running', statuses: ['running', 'queued'], tone: 'text-info' },
  { key: 'home.waiting', statuses: ['waiting'], tone: 'text-warn' },
];

function Standing({ names }: { names: Map<string, string> }) {
  const { say } = useWords();
  const [since] = useState(() => Math.floor(Date.now() / 1000 / MINUTE_S) * MINUTE_S - DAY_S);
  const stats = useQuery({ queryKey: ['home', 'stats', since], queryFn: async () => (await call('GET /executions/stats', { query: { started_from: since } })) as Record<string, number> });
  const failed = useQuery({ queryKey: ['home', 'failed', since], queryFn: async () => (await call('GET /executions', { query: { status: ['failed', 'timed_out'], started_from: since, limit: 5 } })).data });
  const recent = useQuery({ queryKey: ['home', 'recent'], queryFn: async () => (await call('GET /executions', { query: { limit: 8 } })).data });
  const letters = useQuery({ queryKey: ['home', 'letters'], queryFn: async () => (await call('GET /dead-letters', { query: { limit: 100 } })).data.length });
  const of = (statuses: string[]) => statuses.reduce((sum, each) => sum + (stats.data?.[each] ?? 0), 0);
  const failures = of(['failed', 'timed_out']);
  const isWell = failures === 0;
  return (
    <div className="flex flex-col gap-6">
      <Listing found={stats}>
        {() => (
          <section aria-label={say('home.day')}>
            <div className={classes('mb-4 flex items-start gap-2.5 rounded-xl px-4 py-3 text-[13px]', isWell ? 'bg-good-soft text-good' : 'bg-bad-soft text-bad')}>
              {isWell ? <CircleCheck size={17} aria-hidden /> : <CircleAlert size={17} aria-hidden />}
              <div><p className="font-semibold">{isWell ? say('home.well') : say('home.someFailed', { n: failures })}</p>{isWell && <p>{say('home.wellAbout')}</p>}</div>
            </div>
            <ul className="grid grid-cols-2 gap-3 lg:grid-cols-4">
              {TILES.map((tile) => (
                <li key={tile.key} className="rounded-xl border border-line bg-surface px-4 py-3 shadow-[var(--shadow)]">
                  <p className="text-xs text-faint">{say(tile.key)} · {say('home.day')}</p>
                  <p className={classes('mt-1 text-2xl font-semibold tabular-nums', of(tile.statuses) > 0 ? tile.tone : 'text-faint')}>{of(tile.statuses)}</p>
                </li>
              ))}
            </ul>
          </section>
        )}
      </Listing>
      {!!letters.data && <Link to="/dead-letters" className="rounded-xl bg-warn-soft px-4 py-3 text-[13px] font-medium text-warn hover:underline">{say('home.letters', { n: letters.data })}</Link>}
      <div className="grid grid-cols-1 gap-6 lg:grid-cols-[2fr_1fr]">
        <div className="flex min-w-0 flex-col gap-6">
          {!!failed.data?.length && <Runs title={say('home.failures')} rows={failed.data} names={names} status="failed" />}
          <Listing found={recent}>{(rows) => <Runs title={say('home.recent')} rows={rows} names={names} none={say('home.recentNone')} />}</Listing>
        </div>
        <Steps />
      </div>
    </div>
  );
}

function Runs({ title, rows, names, none, status }: { title: string; rows: ExecutionLine[]; names: Map<string, string>; none?: string; status?: string }) {
  const { say, language } = useWords();
  return (
    <section aria-label={title} className="rounded-xl border border-line bg-surface shadow-[var(--shadow)]">
      <div className="flex items-center justify-between border-b border-line px-4 py-2.5">
        <h2>{title}</h2>
        <Link to="/executions" search={{ status }} aria-label={`${say('home.all')}: ${title}`} className="text-[13px] font-medium text-accent-text hover:underline">{say('home.all')}</Link>
      </div>
      {rows.length === 0 && <p className="px-4 py-6 text-[13px] text-faint">{none}</p>}
      <ul className="divide-y divide-line">
        {rows.map((each) => (
          <li key={each.id} className="flex items-center gap-3 px-4 py-2 text-[13px]">
            <Status status={each.status} label={worded(say, `status.${each.status}`, each.status)} small />
            <div className="min-w-0 flex-1">
              <Link to="/executions/$executionId" params={{ executionId: each.id }} className="font-medium hover:text-accent-text hover:underline">{names.get(each.workflow_id) ?? each.workflow_id.slice(0, 13)}</Link>
              {each.error && <p className="truncate text-xs text-bad">{each.error.message}</p>}
            </div>
            <span className="text-xs whitespace-nowrap text-faint" title={absolute(each.started_at, language)}>{ago(each.started_at, language)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What one does in the first days; gone when all of it is done. */
function Steps() {
  const { say } = useWords();
  const may = useMay();
  const found = useQuery({
    queryKey: ['home', 'steps'],
    queryFn: async () => {
      const [green, active, credentials, members] = await Promise.all([
        call('GET /executions', { query: { status: ['completed'], limit: 1 } }), call('GET /workflows', { query: { is_active: true, limit: 1 } }), call('GET /credentials'), call('GET /members'),
      ]);
      return { green: green.data.length > 0, active: active.data.length > 0, credential: credentials.data.length > 0, member: members.data.length > 1 };
    },
  });
  if (!found.data || !may('workflow.create')) return null;
  const steps: { key: Key; to: string; done: boolean }[] = [
    { key: 'home.stepMade', to: '/workflows', done: true },
    { key: 'home.stepRun', to: '/workflows', done: found.data.green },
    { key: 'home.stepActive', to: '/workflows', done: found.data.active },
    { key: 'home.stepCredential', to: '/credentials', done: found.data.credential },
    ...(may('member.invite') ? [{ key: 'home.stepMember' as const, to: '/admin/members', done: found.data.member }] : []),
  ];
  if (steps.every((each) => each.done)) return null;
  return (
    <section aria-label={say('home.steps')} className="self-start rounded-xl border border-line bg-surface p-4 shadow-[var(--shadow)]">
      <h2 className="mb-2">{say('home.steps')}</h2>
      <ul className="flex flex-col gap-1.5">
        {steps.map((each) => (
          <li key={each.key} className="flex items-start gap-2 text-[13px]">
            {each.done ? <CircleCheck size={16} className="mt-0.5 shrink-0 text-good" aria-hidden /> : <Circle size={16} className="mt-0.5 shrink-0 text-faint" aria-hidden />}
            {each.done ? <span className="text-faint line-through">{say(each.key)}</span> : <Link to={each.to} className="font-medium hover:text-accent-text hover:underline">{say(each.key)}</Link>}
            <span className="sr-only">({say(each.done ? 'home.stepDone' : 'home.stepOpen')})</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
