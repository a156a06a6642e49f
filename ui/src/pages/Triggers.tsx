import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { CalendarClock, Copy, Webhook as Sign } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import { queries, workflowList } from '../api/queries';
import type { Schedule, Webhook } from '../api/schema.gen';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Empty, Failed, Loading, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Listen } from './Listen';
import { useAct } from './Listing';
import { Once } from './Once';

/** What starts workflows: addresses and times. */
export function Triggers() {
  const { say } = useWords();
  const may = useMay();
  const navigate = useNavigate();
  const [heard, setHeard] = useState<Webhook | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const hooks = useQuery({ queryKey: ['webhooks'], queryFn: async () => (await call('GET /webhooks')).data as unknown as Webhook[] });
  const times = useQuery({ queryKey: ['schedules'], queryFn: async () => (await call('GET /schedules')).data as unknown as Schedule[], refetchInterval: 30_000 });
  const workflows = useInfiniteQuery(workflowList(''));
  const names = new Map(workflows.data?.pages.flatMap((page) => page.data).map((each) => [each.id, each.name]));
  const name = (id: string) => <Link to="/w/$workflowId/edit" params={{ workflowId: id }} className="font-medium hover:text-accent-text hover:underline">{names.get(id) ?? id.slice(0, 13)}</Link>;
  const rotate = useAct((id: string) => call('POST /webhooks/{webhook_id}/regenerate-secret', { path: { webhook_id: id } }), ['webhooks'], (made) => setSecret(made.secret));
  const make = may('workflow.create') && <Button onClick={() => void navigate({ to: '/workflows', search: { new: '1' } })}>{say('workflows.new')}</Button>;
  return (
    <Page title={say('triggers.title')} about={say('triggers.about')}>
      <h2 className="mb-2">{say('triggers.webhooks')}</h2>
      {hooks.isPending && <Loading label={say('app.loading')} />}
      {hooks.isError && <Failed title={say('app.failed')} error={hooks.error} />}
      {hooks.data?.length === 0 && <Empty icon={<Sign size={20} />} title={say('triggers.noWebhooks')} about={say('triggers.noWebhooksAbout')}>{make}</Empty>}
      {!!hooks.data?.length && (
        <Table label={say('triggers.webhooks')} head={[say('executions.workflow'), say('triggers.address'), say('workflows.state'), say('workflows.actions')]}>
          {hooks.data.map((each) => (
            <tr key={each.id}>
              <td className="min-w-36 px-4 py-2.5">{name(each.workflow_id)}</td>
              <td className="px-4">
                <span className="flex items-center gap-1"><code className="min-w-48 font-mono text-xs break-all">{each.url}</code>
                  <Button look="quiet" aria-label={say('triggers.copyAddress')} title={say('triggers.copyAddress')} icon={<Copy size={14} aria-hidden />} onClick={() => void navigator.clipboard.writeText(each.url).then(() => toast(say('app.copied')))} /></span>
              </td>
              <td className="px-4 whitespace-nowrap text-soft">{say(each.is_active ? 'workflows.active' : 'workflows.inactive')} · {say(each.has_secret ? 'triggers.signed' : 'triggers.unsigned')}</td>
              <td className="px-4 py-2"><div className="flex flex-wrap gap-1.5">
                <Button aria-label={`${say('listen.go')}: ${names.get(each.workflow_id) ?? ''}`} onClick={() => setHeard(each)}>{say('listen.go')}</Button>
                <Button onClick={() => void navigate({ to: '/inbox', search: { webhook: each.id } })}>{say('nav.inbox')}</Button>
                {may('webhook.update') && <Button busy={rotate.isPending && rotate.variables === each.id} onClick={() => (!each.has_secret || window.confirm(say('triggers.secretAsk'))) && rotate.mutate(each.id)}>{say('triggers.secret')}</Button>}
              </div></td>
            </tr>
          ))}
        </Table>
      )}
      <h2 className="mt-8 mb-2">{say('triggers.schedules')}</h2>
      {times.isPending && <Loading label={say('app.loading')} />}
      {times.isError && <Failed title={say('app.failed')} error={times.error} />}
      {times.data?.length === 0 && <Empty icon={<CalendarClock size={20} />} title={say('triggers.noSchedules')} about={say('triggers.noSchedulesAbout')}>{make}</Empty>}
      {!!times.data?.length && (
        <Table label={say('triggers.schedules')} head={[say('executions.workflow'), say('triggers.when'), say('triggers.next'), say('triggers.last'), say('triggers.count'), say('workflows.actions')]}>
          {times.data.map((each) => <Time key={each.id} found={each} name={name(each.workflow_id)} />)}
        </Table>
      )}
      {heard && <Listen hook={heard} onClose={() => setHeard(null)} />}
      <Once title={say('triggers.secret')} about={say('triggers.secretAbout')} value={secret} onClose={() => setSecret(null)} />
    </Page>
  );
}

function Time({ found, name }: { found: Schedule; name: React.ReactNode }) {
  const { say, language } = useWords();
  const may = useMay();
  const flip = useMutation({
    mutationFn: () => call(found.is_paused ? 'POST /schedules/{schedule_id}/resume' : 'POST /schedules/{schedule_id}/pause', { path: { schedule_id: found.id } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['schedules'] }), onError: (error) => toast.error(error.message),
  });
  return (
    <tr>
      <td className="px-4 py-2.5">{name}{found.disabled_reason && <p className="text-xs text-bad">{found.disabled_reason}</p>}</td>
      <td className="px-4"><code className="font-mono text-xs">{found.cron ?? say('triggers.every', { seconds: found.interval_s })}</code> <span className="text-xs text-faint">{found.timezone}</span></td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(found.next_run_at, language)}>{found.is_paused ? say('triggers.paused') : ago(found.next_run_at, language)}</td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(found.last_run_at, language)}>{ago(found.last_run_at, language)}</td>
      <td className="px-4 text-soft">{found.run_count}</td>
      <td className="px-4">{may('schedule.update') && <Button busy={flip.isPending} onClick={() => flip.mutate()}>{say(found.is_paused ? 'triggers.resume' : 'triggers.pause')}</Button>}</td>
    </tr>
  );
}
