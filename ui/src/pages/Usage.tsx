import { useQuery } from '@tanstack/react-query';
import { call } from '../api/client';
import type { Meter } from '../api/schema.gen';
import { useWords, worded } from '../i18n';
import { Bars } from '../kit/Bars';
import { classes } from '../kit/classes';
import { Page, Table } from '../kit/Page';
import { Budgets } from './Budgets';
import { Listing } from './Listing';

const TIGHT_PERCENT = 80;

/** What the workspace used this month, and what its plan allows. */
export function Usage() {
  const { say, language } = useWords();
  const limits = useQuery({ queryKey: ['limits'], queryFn: () => call('GET /usage/limits') });
  const used = useQuery({ queryKey: ['usage'], queryFn: () => call('GET /usage', { query: { by: 'day' } }) });
  const day = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  return (
    <Page title={say('settings.usage')} about={say('usage.about')}>
      <Listing found={limits}>
        {(found) => (
          <section aria-label={say('usage.plan', { title: found.title })} className="mb-8">
            <h2 className="mb-2">{say('usage.plan', { title: found.title })}</h2>
            {found.is_locked && <p role="alert" className="mb-3 rounded-xl bg-bad-soft px-4 py-3 text-[13px] font-medium text-bad">{say('usage.locked')}</p>}
            <ul className="grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-4">{found.data.map((each) => <Gauge key={each.meter} meter={each} number={number} />)}</ul>
          </section>
        )}
      </Listing>
      <Budgets />
      <Listing found={used}>
        {(found) => (
          <>
            <h2 className="mb-2">{say('usage.month')}</h2>
            <div className="mb-4 rounded-xl border border-line bg-surface p-4 shadow-[var(--shadow)]">
              <Bars title={say('usage.month')} legend={[{ tone: 'info', label: say('usage.closed') }, { tone: 'bad', label: say('usage.failed') }]}
                columns={found.data.map((each) => ({ key: each.day, label: day.format(Date.parse(each.day)), parts: [{ tone: 'info', value: each.closed - each.failed }, { tone: 'bad', value: each.failed }] }))} />
            </div>
            <Table label={say('usage.month')} head={[say('usage.day'), say('usage.started'), say('usage.closed'), say('usage.failed'), say('usage.nodes'), say('usage.seconds')]}>
              {[...found.data].reverse().map((each) => <Amounts key={each.day} name={day.format(Date.parse(each.day))} row={each} number={number} />)}
              <Amounts name={say('usage.total')} row={found.total} number={number} isTotal />
            </Table>
          </>
        )}
      </Listing>
    </Page>
  );
}

function Gauge({ meter, number }: { meter: Meter; number: Intl.NumberFormat }) {
  const { say } = useWords();
  const percent = meter.limit === null ? null : Math.min(100, meter.percent ?? 0);
  return (
    <li className="rounded-xl border border-line bg-surface px-4 py-3 shadow-[var(--shadow)]">
      <p className="text-xs text-faint">{worded(say, `usage.meter.${meter.meter}`, meter.meter.replaceAll('_', ' '))}</p>
      <p className="mt-0.5 text-lg font-semibold tabular-nums">{number.format(meter.used)} <span className="text-xs font-normal text-faint">{meter.limit === null ? say('usage.unlimited') : `/ ${number.format(meter.limit)}`}</span></p>
      {percent !== null && <div className="mt-1.5 h-1.5 rounded-full bg-sunk" aria-hidden><div className={classes('h-full rounded-full', percent >= 100 ? 'bg-bad' : percent >= TIGHT_PERCENT ? 'bg-warn' : 'bg-good')} style={{ width: `${percent}%` }} /></div>}
    </li>
  );
}

function Amounts({ name, row, number, isTotal }: { name: string; row: { started: number; closed: number; failed: number; nodes: number; node_seconds: number }; number: Intl.NumberFormat; isTotal?: boolean }) {
  return (
    <tr className={isTotal ? 'font-semibold' : undefined}>
      <td className="px-4 py-2">{name}</td>
      {[row.started, row.closed, row.failed, row.nodes, row.node_seconds].map((each, at) => <td key={at} className="px-4 tabular-nums">{number.format(each)}</td>)}
    </tr>
  );
}
