import { useWords } from '../i18n';
import { Choice, Field } from '../kit/Field';
import { NumberField, Section, TextField, said, tree, type PartProps, type Tree } from './SettingsFields';

const CONFLICTS = ['queue', 'skip', 'cancel', 'replace'] as const;
const EXCESSES = ['queue', 'skip'] as const;

/** How many executions run at once. */
export function Concurrency({ settings, set }: PartProps) {
  const { say } = useWords();
  const bare = Number(settings.maxConcurrentExecutions ?? 0) || undefined;
  const found = settings.concurrency ? tree(settings.concurrency) : {};
  const limit = settings.concurrency ? (found.limit ?? 1) : bare;
  const change = (members: Tree) => {
    const next: Tree = { ...found, limit, ...members };
    set({ concurrency: next.limit === undefined ? undefined : said(next), maxConcurrentExecutions: undefined });
  };
  return (
    <Section title="flow.concurrency">
      <NumberField label="flow.most" hint="flow.mostHint" path="settings.concurrency.limit" value={limit} min={1} onChange={(value) => change({ limit: value })} />
      {limit !== undefined && (
        <>
          <Field label={say('flow.tooMany')}>
            {(id) => <Choice id={id} value={String(found.onConflict ?? 'queue')} onChange={(event) => change({ onConflict: event.target.value === 'queue' ? undefined : event.target.value })}>{CONFLICTS.map((each) => <option key={each} value={each}>{say(`flow.tooMany.${each}`)}</option>)}</Choice>}
          </Field>
          <TextField label="flow.per" hint="flow.perHint" path="settings.concurrency.key" value={found.key} isCode onChange={(value) => change({ key: value })} />
        </>
      )}
    </Section>
  );
}

/** How many executions begin in a period. */
export function Rate({ settings, set }: PartProps) {
  const { say } = useWords();
  const found = tree(settings.rate);
  const limit = settings.rate ? (found.limit ?? 1) : undefined;
  const change = (members: Tree) => {
    const next: Tree = { ...found, limit, ...members };
    set({ rate: next.limit === undefined ? undefined : said(next) });
  };
  return (
    <Section title="flow.rate" hint="flow.rateHint">
      <NumberField label="flow.rateMost" hint="flow.mostHint" path="settings.rate.limit" value={limit} min={1} onChange={(value) => change({ limit: value })} />
      {limit !== undefined && (
        <>
          <NumberField label="flow.ratePeriod" path="settings.rate.periodSeconds" value={found.periodSeconds} min={1} placeholder="60" onChange={(value) => change({ periodSeconds: value })} />
          <Field label={say('flow.rateTooMany')}>
            {(id) => <Choice id={id} value={String(found.onExceed ?? 'queue')} onChange={(event) => change({ onExceed: event.target.value === 'queue' ? undefined : event.target.value })}>{EXCESSES.map((each) => <option key={each} value={each}>{say(`flow.tooMany.${each}`)}</option>)}</Choice>}
          </Field>
          <TextField label="flow.per" hint="flow.perHint" path="settings.rate.key" value={found.key} isCode onChange={(value) => change({ key: value })} />
        </>
      )}
    </Section>
  );
}

/** Which of the starts that follow closely runs. */
export function Debounce({ settings, set }: PartProps) {
  const found = tree(settings.debounce);
  const seconds = settings.debounce ? (found.seconds ?? 5) : undefined;
  const change = (members: Tree) => {
    const next: Tree = { ...found, seconds, ...members };
    set({ debounce: next.seconds === undefined ? undefined : said(next) });
  };
  return (
    <Section title="flow.debounce" hint="flow.debounceHint">
      <NumberField label="flow.debounceS" hint="flow.debounceSHint" path="settings.debounce.seconds" value={seconds} step={0.1} onChange={(value) => change({ seconds: value })} />
      {seconds !== undefined && (
        <>
          <NumberField label="flow.debounceMost" hint="flow.debounceMostHint" path="settings.debounce.maxSeconds" value={found.maxSeconds} step={0.1} onChange={(value) => change({ maxSeconds: value })} />
          <TextField label="flow.debouncePer" hint="flow.perHint" path="settings.debounce.key" value={found.key} isCode onChange={(value) => change({ key: value })} />
        </>
      )}
    </Section>
  );
}
