import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/client';
import { useMay } from '../api/may';
import { useWords, worded } from '../i18n';
import type { Key } from '../i18n/en';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Dialog } from '../kit/Dialog';
import { Choice, Field, Input } from '../kit/Field';
import { ago } from '../kit/time';
import { Listing, useAct } from './Listing';

const PERIODS = ['execution', 'day', 'month'] as const;
type Period = (typeof PERIODS)[number];
const METERS = ['executions', 'attempts', 'node_ms', 'ai_tokens', 'sms_parts', 'airtime_cents'];
const TIGHT_PERCENT = 80;

/** What the workspace may use in a day or a month, and each execution by default. */
export function Budgets() {
  const { say, language } = useWords();
  const may = useMay();
  const [isOpen, setOpen] = useState(false);
  const found = useQuery({ queryKey: ['budgets'], queryFn: async () => (await call('GET /budgets')).data });
  const remove = useAct((period: Period) => call('DELETE /budgets/{period}', { path: { period } }), ['budgets']);
  const number = new Intl.NumberFormat(language);
  return (
    <section aria-label={say('budgets.title')} className="mb-8">
      <div className="mb-2 flex flex-wrap items-end justify-between gap-2">
        <div><h2>{say('budgets.title')}</h2><p className="text-[13px] text-soft">{say('budgets.about')}</p></div>
        {may('workspace.update') && <Button onClick={() => setOpen(true)}>{say('budgets.set')}</Button>}
      </div>
      <Listing found={found}>
        {(rows) => rows.length === 0 ? <p className="rounded-xl border border-dashed border-line-strong px-4 py-6 text-center text-[13px] text-faint">{say('budgets.none')}</p> : (
          <ul className="grid gap-3 md:grid-cols-2">
            {rows.map((each) => (
              <li key={each.period} className="rounded-xl border border-line bg-surface px-4 py-3 shadow-[var(--shadow)]">
                <div className="flex items-center justify-between gap-2">
                  <p className="text-[13px] font-semibold">{say(`budgets.period.${each.period}`)} <span className="font-normal text-faint">· {say(`budgets.then.${each.on_exceeded}`)}</span></p>
                  {may('workspace.update') && <Button look="quiet" aria-label={`${say('app.delete')}: ${say(`budgets.period.${each.period}`)}`} onClick={() => remove.mutate(each.period)}>{say('app.delete')}</Button>}
                </div>
                <ul className="mt-1 flex flex-col gap-2">
                  {each.data.map((line) => (
                    <li key={line.meter} className="text-[13px]">
                      <div className="flex justify-between gap-2"><span>{worded(say, `budgets.meter.${line.meter}`, line.meter)}</span><span className="text-soft tabular-nums">{each.period === 'execution' ? number.format(line.limit) : `${number.format(line.used)} / ${number.format(line.limit)}`}</span></div>
                      {each.period !== 'execution' && <div className="mt-1 h-1.5 rounded-full bg-sunk" aria-hidden><div className={classes('h-full rounded-full', line.percent >= 100 ? 'bg-bad' : line.percent >= TIGHT_PERCENT ? 'bg-warn' : 'bg-good')} style={{ width: `${Math.min(100, line.percent)}%` }} /></div>}
                      {line.resets_at && <p className="mt-0.5 text-xs text-faint">{say('budgets.resets', { when: ago(line.resets_at, language) })}</p>}
                    </li>
                  ))}
                </ul>
              </li>
            ))}
          </ul>
        )}
      </Listing>
      {isOpen && <SetOne known={Object.fromEntries((found.data ?? []).map((each) => [each.period, each.limits]))} onClose={() => setOpen(false)} />}
    </section>
  );
}

/** One limit more, or another number for one that is there; the others of the period stay. */
function SetOne({ known, onClose }: { known: Partial<Record<Period, Record<string, unknown>>>; onClose: () => void }) {
  const { say } = useWords();
  const save = useAct(({ period, meter, limit, then }: { period: Period; meter: string; limit: number; then: string }) =>
    call('PUT /budgets/{period}', { path: { period }, body: { limits: { ...known[period], [meter]: limit }, on_exceeded: then } }), ['budgets'], onClose);
  return (
    <Dialog title={say('budgets.set')} about={say('budgets.about')} isOpen onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => {
        event.preventDefault();
        const said = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
        save.mutate({ period: said.period as Period, meter: said.meter ?? '', limit: Number(said.limit), then: said.then ?? 'pause' });
      }}>
        <Field label={say('budgets.period')}>{(id) => <Choice id={id} name="period" defaultValue="month">{PERIODS.map((each) => <option key={each} value={each}>{say(`budgets.period.${each}`)}</option>)}</Choice>}</Field>
        <Field label={say('budgets.meter')}>{(id) => <Choice id={id} name="meter">{METERS.map((each) => <option key={each} value={each}>{say(`budgets.meter.${each}` as Key)}</option>)}</Choice>}</Field>
        <Field label={say('budgets.limit')}>{(id) => <Input id={id} name="limit" type="number" min={1} step={1} required />}</Field>
        <Field label={say('budgets.then')}>{(id) => <Choice id={id} name="then"><option value="pause">{say('budgets.then.pause')}</option><option value="fail">{say('budgets.then.fail')}</option></Choice>}</Field>
        <div className="text-right"><Button type="submit" look="main" busy={save.isPending}>{say('app.save')}</Button></div>
      </form>
    </Dialog>
  );
}
