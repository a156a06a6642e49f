import { useQuery } from '@tanstack/react-query';
import { CircleAlert, CircleCheck } from 'lucide-react';
import { call } from '../api/client';
import { useWords } from '../i18n';
import { classes } from '../kit/classes';
import { Failed, Loading, Page, Table } from '../kit/Page';
import { duration } from '../kit/time';

const LOOK_MS = 5_000;

/** Which processes there are, and what waits for them; for the operator. */
export function Cluster() {
  const { say } = useWords();
  const cluster = useQuery({ queryKey: ['cluster'], queryFn: () => call('GET /admin/cluster'), refetchInterval: LOOK_MS });
  const queues = useQuery({ queryKey: ['queues'], queryFn: () => call('GET /admin/queues'), refetchInterval: LOOK_MS });
  return (
    <Page title={say('cluster.title')} about={say('cluster.about')}>
      {cluster.isPending && <Loading label={say('app.loading')} />}
      {cluster.isError && <Failed title={say('app.failed')} error={cluster.error} />}
      {cluster.data && (
        <>
          <div className={classes('mb-5 flex items-start gap-2.5 rounded-xl px-4 py-3 text-[13px]', cluster.data.ok ? 'bg-good-soft text-good' : 'bg-bad-soft text-bad')}>
            {cluster.data.ok ? <CircleCheck size={17} aria-hidden /> : <CircleAlert size={17} aria-hidden />}
            <div><p className="font-semibold">{say(cluster.data.ok ? 'cluster.ok' : 'cluster.notOk')}</p>{cluster.data.problems.map((each) => <p key={each}>{each}</p>)}</div>
          </div>
          <h2 className="mb-2">{say('cluster.members')}</h2>
          <Table label={say('cluster.members')} head={[say('cluster.process'), say('cluster.roles'), say('cluster.release'), say('cluster.state')]}>
            {cluster.data.members.map((each) => {
              const found = each as unknown as Record<string, unknown>;
              return (
                <tr key={String(found.id ?? found.name)}>
                  <td className="px-4 py-2.5 font-mono text-xs">{String(found.id ?? found.name)}</td>
                  <td className="px-4"><span className="flex flex-wrap gap-1">{(Array.isArray(found.roles) ? (found.roles as string[]) : []).map((role) => <span key={role} className="rounded-md bg-sunk px-1.5 text-[11px] text-soft">{role}</span>)}</span></td>
                  <td className="px-4 text-soft">{String(found.release ?? '')}</td>
                  <td className="px-4 text-soft">{String(found.state ?? found.status ?? '')}</td>
                </tr>
              );
            })}
          </Table>
        </>
      )}
      <h2 className="mt-8 mb-2">{say('cluster.queues')}</h2>
      {queues.isError && <Failed title={say('app.failed')} error={queues.error} />}
      {queues.data?.data.length === 0 && <p className="text-[13px] text-faint">{say('cluster.noQueues')}</p>}
      {!!queues.data?.data.length && (
        <Table label={say('cluster.queues')} head={[say('cluster.queue'), say('cluster.depth'), say('cluster.oldest'), say('cluster.inFlight'), say('cluster.workers')]}>
          {queues.data.data.map((each) => (
            <tr key={each.name}>
              <td className="px-4 py-2.5 font-medium">{each.name}</td><td className="px-4">{each.depth}</td><td className="px-4 text-soft">{each.depth ? duration(each.oldest_s * 1000) : '–'}</td><td className="px-4">{each.in_flight}</td><td className="px-4">{each.workers}</td>
            </tr>
          ))}
        </Table>
      )}
    </Page>
  );
}
