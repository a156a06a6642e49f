import { useQuery } from '@tanstack/react-query';
import { toast } from 'sonner';
import { call } from '../api/client';
import type { Duty } from '../api/schema.gen';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Page, Table } from '../kit/Page';
import { absolute, ago, duration } from '../kit/time';
import { Listing, useAct } from './Listing';

const LOOK_MS = 5_000;
const WAIT_MS = 10_000;

/** What is done because time passed, for the operator: when last, how it ended, and now. */
export function Jobs() {
  const { say } = useWords();
  const found = useQuery({ queryKey: ['jobs'], queryFn: () => call('GET /admin/scheduler'), refetchInterval: LOOK_MS });
  return (
    <Page title={say('jobs.title')} about={say('jobs.about')}>
      <Listing found={found}>
        {({ leader, duties }) => (
          <>
            <p className={classes('mb-4 text-[13px]', leader ? 'text-soft' : 'font-medium text-bad')}>{leader ? say('jobs.leader', { holder: leader.holder.slice(0, 8) }) : say('jobs.noLeader')}</p>
            <Table label={say('jobs.title')} head={[say('jobs.name'), say('jobs.every'), say('jobs.last'), say('jobs.outcome'), say('workflows.actions')]}>
              {duties.map((each) => <Row key={each.name} row={each} />)}
            </Table>
          </>
        )}
      </Listing>
    </Page>
  );
}

function Row({ row }: { row: Duty }) {
  const { say, language } = useWords();
  const run = useAct(() => call('POST /admin/scheduler/duties/{name}/run', { path: { name: row.name }, query: { wait_ms: WAIT_MS } }), ['jobs'], (ran) => void toast(say('jobs.ran', { name: row.name, outcome: ran.error ?? ran.outcome })));
  const at = row.last?.ended_at ?? row.last?.began_at ?? null;
  return (
    <tr>
      <td className="px-4 py-2"><p className="font-medium">{row.name}</p><p className="text-xs text-faint">{row.summary}</p></td>
      <td className="px-4 whitespace-nowrap text-soft">{row.every_s ? duration(row.every_s * 1000) : say('jobs.always')}</td>
      <td className="px-4 whitespace-nowrap text-soft" title={absolute(at, language)}>{at ? `${ago(at, language)} · ${duration(row.last?.duration_ms)}` : say('credentials.never')}</td>
      <td className={`max-w-xs px-4 ${row.last?.error ? 'text-bad' : 'text-soft'}`}>{row.last?.error ?? row.last?.outcome ?? '–'}</td>
      <td className="px-4"><Button aria-label={`${say('jobs.run')}: ${row.name}`} busy={run.isPending} onClick={() => run.mutate()}>{say('jobs.run')}</Button></td>
    </tr>
  );
}
