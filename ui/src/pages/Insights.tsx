import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { ChartColumn } from 'lucide-react';
import { useMemo } from 'react';
import { call } from '../api/client';
import { workflowList } from '../api/queries';
import { useWords } from '../i18n';
import { Bars, type Column } from '../kit/Bars';
import { Button } from '../kit/Button';
import { Choice } from '../kit/Field';
import { Empty, Page, Table } from '../kit/Page';
import { Listing } from './Listing';

const HOUR_S = 3_600;
const DAY_S = 86_400;
const RANGES = { day: { step: HOUR_S, count: 24, by: 'hour' }, week: { step: DAY_S, count: 7, by: 'day' }, month: { step: DAY_S, count: 30, by: 'day' } } as const;
type Range = keyof typeof RANGES;
type Counts = Map<string, number>;
const BAD = ['failed', 'timed_out'];

async function counted(by: 'status' | 'workflow' | 'error' | 'hour' | 'day' | 'duration', since: number, status?: string[]): Promise<Counts> {
  const found = (await call('GET /executions/counts', { query: { by, started_from: since, status } })) as { counts: { key: string; count: number }[] };
  return new Map(found.counts.map((each) => [each.key, each.count]));
}

/** Executions counted: over time, by workflow, by error, by duration. */
export function Insights() {
  const { say, language } = useWords();
  const navigate = useNavigate({ from: '/insights' });
  const search = useSearch({ from: '/inside/insights' });
  const range: Range = search.range && search.range in RANGES ? (search.range as Range) : 'week';
  const { step, count, by } = RANGES[range];
  const first = useMemo(() => (Math.floor(Date.now() / 1000 / step) - count + 1) * step, [step, count]);
  const found = useQuery({
    queryKey: ['insights', by, first],
    queryFn: async () => {
      const [all, good, bad, status, workflows, failing, errors, durations] = await Promise.all([
        counted(by, first), counted(by, first, ['completed']), counted(by, first, BAD), counted('status', first),
        counted('workflow', first), counted('workflow', first, BAD), counted('error', first), counted('duration', first),
      ]);
      return { all, good, bad, status, workflows, failing, errors, durations };
    },
  });
  const names = new Map(useInfiniteQuery(workflowList('')).data?.pages.flatMap((page) => page.data).map((each) => [each.id, each.name]));
  const label = new Intl.DateTimeFormat(language, by === 'hour' ? { hour: '2-digit', minute: '2-digit' } : { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const columns = ({ all, good, bad }: { all: Counts; good: Counts; bad: Counts }): Column[] => Array.from({ length: count }, (_, at) => {
    const instant = new Date((first + at * step) * 1000).toISOString();
    const key = by === 'hour' ? `${instant.slice(0, 13)}:00:00Z` : instant.slice(0, 10);
    const [whole, well, ill] = [all.get(key) ?? 0, good.get(key) ?? 0, bad.get(key) ?? 0];
    return { key, label: label.format(Date.parse(instant)), parts: [{ tone: 'good', value: well }, { tone: 'bad', value: ill }, { tone: 'plain', value: Math.max(0, whole - well - ill) }] };
  });
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  return (
    <Page title={say('insights.title')} about={say('insights.about')}
      actions={<Choice aria-label={say('insights.range')} className="!w-44" value={range} onChange={(event) => void navigate({ search: { range: event.target.value }, replace: true })}>{(Object.keys(RANGES) as Range[]).map((each) => <option key={each} value={each}>{say(`insights.range.${each}`)}</option>)}</Choice>}>
      <Listing found={found}>
        {(data) => {
          const total = [...data.status.values()].reduce((sum, each) => sum + each, 0);
          const good = data.status.get('completed') ?? 0;
          const bad = BAD.reduce((sum, each) => sum + (data.status.get(each) ?? 0), 0);
          if (total === 0) return <Empty icon={<ChartColumn size={20} />} title={say('insights.empty')} about={say('insights.emptyAbout')}><Button onClick={() => void navigate({ to: '/workflows' })}>{say('nav.workflows')}</Button></Empty>;
          return (
            <div className="flex flex-col gap-6">
              <ul className="grid grid-cols-1 gap-3 sm:grid-cols-3">
                <Tile name={say('insights.total')} value={new Intl.NumberFormat(language).format(total)} />
                <Tile name={say('insights.rate')} value={good + bad ? percent.format(good / (good + bad)) : '–'} />
                <Tile name={say('insights.failed')} value={new Intl.NumberFormat(language).format(bad)} />
              </ul>
              <Framed title={say('insights.over')}>
                <Bars title={say('insights.over')} columns={columns(data)} legend={[{ tone: 'good', label: say('home.completed') }, { tone: 'bad', label: say('insights.failed') }, { tone: 'plain', label: say('insights.other') }]} />
              </Framed>
              <div className="grid grid-cols-1 gap-6 lg:grid-cols-2">
                <section>
                  <h2 className="mb-2">{say('insights.byWorkflow')}</h2>
                  <Table label={say('insights.byWorkflow')} head={[say('executions.workflow'), say('insights.total'), say('insights.failed')]}>
                    {[...data.workflows].slice(0, 10).map(([id, number]) => (
                      <tr key={id}>
                        <td className="px-4 py-2"><Link to="/executions" search={{ workflow: id }} className="font-medium hover:text-accent-text hover:underline">{names.get(id) ?? id.slice(0, 13)}</Link></td>
                        <td className="px-4 tabular-nums">{number}</td>
                        <td className={`px-4 tabular-nums ${data.failing.get(id) ? 'font-medium text-bad' : 'text-faint'}`}>{data.failing.get(id) ?? 0}</td>
                      </tr>
                    ))}
                  </Table>
                </section>
                <section>
                  <h2 className="mb-2">{say('insights.byError')}</h2>
                  {data.errors.size === 0 ? <p className="text-[13px] text-faint">{say('insights.noErrors')}</p> : (
                    <Table label={say('insights.byError')} head={[say('insights.code'), say('insights.count')]}>
                      {[...data.errors].slice(0, 10).map(([code, number]) => <tr key={code}><td className="px-4 py-2"><code className="font-mono text-xs">{code}</code></td><td className="px-4 tabular-nums">{number}</td></tr>)}
                    </Table>
                  )}
                </section>
              </div>
              <Framed title={say('insights.duration')}><Bars title={say('insights.duration')} legend={[{ tone: 'info', label: say('insights.total') }]} columns={spans(data.durations, (n) => say('insights.upTo', { n }), say('insights.longer'))} /></Framed>
            </div>
          );
        }}
      </Listing>
    </Page>
  );
}

/** Durations as the server groups them: by the upper edge in seconds; what is longer than all comes last. */
function spans(durations: Counts, upTo: (seconds: string) => string, longer: string): Column[] {
  const edge = (key: string) => (Number.isFinite(Number(key)) ? Number(key) : Infinity);
  return [...durations].sort(([a], [b]) => edge(a) - edge(b)).map(([key, value]) => ({ key, label: edge(key) === Infinity ? longer : upTo(key), parts: [{ tone: 'info', value }] }));
}

function Tile({ name, value }: { name: string; value: string }) {
  return <li className="rounded-xl border border-line bg-surface px-4 py-3 shadow-[var(--shadow)]"><p className="text-xs text-faint">{name}</p><p className="mt-0.5 text-2xl font-semibold tabular-nums">{value}</p></li>;
}

function Framed({ title, children }: { title: string; children: React.ReactNode }) {
  return <section><h2 className="mb-2">{title}</h2><div className="rounded-xl border border-line bg-surface p-4 shadow-[var(--shadow)]">{children}</div></section>;
}
