import { useQuery } from '@tanstack/react-query';
import { call } from '../api/client';
import { useWords } from '../i18n';
import { Dialog } from '../kit/Dialog';
import { Choice, Field } from '../kit/Field';
import { JsonField, NumberField, Section, TextField, said, tree, type PartProps, type Tree } from './SettingsFields';
import { Concurrency, Debounce, Rate } from './StartPolicies';
import { patchRest, useEditor } from './store';

const METERS = ['attempts', 'node_ms', 'ai_tokens', 'sms_parts', 'airtime_cents'] as const;
const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const ZONES = 'linkflow-zones';

/** What holds for every execution of the workflow: time, how many at once, budget, failures, data. */
export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const { say } = useWords();
  const settings = tree(useEditor((state) => state.rest.settings));
  const handling = tree(useEditor((state) => state.rest.errorHandling));
  const set = (members: Tree) => patchRest({ settings: members }, Object.keys(members)[0]!);
  const retry = tree(handling.defaultRetry);
  const setRetry = (members: Tree) => patchRest({ errorHandling: { defaultRetry: said({ ...retry, ...members }) } }, `retry.${Object.keys(members)[0]}`);
  return (
    <Dialog title={say('flow.title')} about={say('flow.about')} isOpen onClose={onClose} closeLabel={say('app.close')} isWide>
      <div className="flex flex-col gap-6">
        <Section title="flow.time">
          <NumberField label="flow.limitS" hint="flow.limitHint" path="settings.maxExecutionTimeMs" value={settings.maxExecutionTimeMs} unit={SECOND_MS} onChange={(value) => set({ maxExecutionTimeMs: value })} />
          <TextField label="flow.timezone" hint="flow.timezoneHint" path="settings.timezone" value={settings.timezone} list={ZONES} onChange={(value) => set({ timezone: value })} />
          <datalist id={ZONES}>{Intl.supportedValuesOf('timeZone').map((each) => <option key={each} value={each} />)}</datalist>
          <NumberField label="flow.priority" path="settings.priority" value={settings.priority} min={0} max={9} placeholder="5" onChange={(value) => set({ priority: value })} />
        </Section>
        <Debounce settings={settings} set={set} />
        <Rate settings={settings} set={set} />
        <Concurrency settings={settings} set={set} />
        <Budget settings={settings} set={set} />
        <Section title="flow.errors">
          <ErrorWorkflow value={String(handling.errorWorkflow || settings.errorWorkflow || '')} />
          <label className="flex items-center gap-2 self-center text-[13px]"><input type="checkbox" className="size-4 accent-[var(--accent)]" checked={!!handling.continueOnError} onChange={(event) => patchRest({ errorHandling: { continueOnError: event.target.checked || undefined } }, 'continueOnError')} /> {say('flow.goOn')}</label>
          <NumberField label="flow.attempts" path="errorHandling.defaultRetry.maxAttempts" value={retry.maxAttempts} min={1} placeholder="3" onChange={(value) => setRetry({ maxAttempts: value })} />
          <NumberField label="flow.delayS" path="errorHandling.defaultRetry.initialDelayMs" value={retry.initialDelayMs} unit={SECOND_MS} min={0} placeholder="1" onChange={(value) => setRetry({ initialDelayMs: value })} />
          <NumberField label="flow.longer" path="errorHandling.defaultRetry.backoffMultiplier" value={retry.backoffMultiplier} min={1} step={0.1} placeholder="2" onChange={(value) => setRetry({ backoffMultiplier: value })} />
          <NumberField label="flow.mostDelayS" path="errorHandling.defaultRetry.maxDelayMs" value={retry.maxDelayMs} unit={SECOND_MS} min={0} placeholder="60" onChange={(value) => setRetry({ maxDelayMs: value })} />
        </Section>
        <Section title="flow.data">
          <JsonField label="flow.variables" hint="flow.variablesHint" path="settings.variables" value={settings.variables} onChange={(value) => set({ variables: value })} />
          <JsonField label="flow.attributes" hint="flow.attributesHint" path="settings.attributes" value={settings.attributes} onChange={(value) => set({ attributes: value })} />
          <JsonField label="flow.schema" hint="flow.schemaHint" path="settings.inputSchema" value={settings.inputSchema} onChange={(value) => set({ inputSchema: value })} />
          <TextField label="flow.callback" hint="flow.callbackHint" path="settings.callbackUrl" value={settings.callbackUrl} placeholder="https://…" onChange={(value) => set({ callbackUrl: value })} />
        </Section>
      </div>
    </Dialog>
  );
}

function Budget({ settings, set }: PartProps) {
  const { say } = useWords();
  const found = tree(settings.budget);
  const limits = tree(found.limits);
  const change = (members: Tree) => set({ budget: said({ ...found, ...members })?.limits === undefined ? undefined : said({ ...found, ...members }) });
  return (
    <Section title="flow.budget" hint="flow.budgetHint">
      {METERS.map((each) => <NumberField key={each} label={`flow.meter.${each}`} path={`settings.budget.limits.${each}`} value={limits[each]} min={1} onChange={(value) => change({ limits: said({ ...limits, [each]: value }) })} />)}
      {Object.keys(limits).length > 0 && (
        <>
          <Field label={say('flow.then')}>
            {(id) => <Choice id={id} value={String(found.onExceeded ?? 'fail')} onChange={(event) => change({ onExceeded: event.target.value === 'fail' ? undefined : event.target.value })}><option value="fail">{say('flow.then.fail')}</option><option value="pause">{say('flow.then.pause')}</option></Choice>}
          </Field>
          {found.onExceeded === 'pause' && <NumberField label="flow.decideH" path="settings.budget.decideWithinMs" value={found.decideWithinMs} unit={HOUR_MS} placeholder="24" onChange={(value) => change({ decideWithinMs: value })} />}
        </>
      )}
    </Section>
  );
}

/** Which workflow starts when an execution fails; one that is not in the list keeps its id. */
function ErrorWorkflow({ value }: { value: string }) {
  const { say } = useWords();
  const own = useEditor((state) => state.workflowId);
  const found = useQuery({ queryKey: ['workflows', 'names'], queryFn: ({ signal }) => names(signal) });
  const list = (found.data ?? []).filter((each) => each.id !== own);
  return (
    <Field label={say('flow.errorWorkflow')}>
      {(id) => (
        <Choice id={id} value={value} onChange={(event) => patchRest({ errorHandling: { errorWorkflow: event.target.value || undefined }, settings: { errorWorkflow: undefined } }, 'errorWorkflow')}>
          <option value="">{say('flow.noWorkflow')}</option>
          {value && !list.some((each) => each.id === value) && <option value={value}>{value}</option>}
          {list.map((each) => <option key={each.id} value={each.id}>{each.name}</option>)}
        </Choice>
      )}
    </Field>
  );
}

/** Every workflow of the workspace by name, read page by page. */
async function names(signal: AbortSignal): Promise<{ id: string; name: string }[]> {
  const found: { id: string; name: string }[] = [];
  let after: string | undefined;
  do {
    const page = await call('GET /workflows', { query: { limit: 100, after }, signal });
    found.push(...page.data.map(({ id, name }) => ({ id, name })));
    after = page.next || undefined;
  } while (after);
  return found;
}
