import type { ComponentProps, ReactNode } from 'react';
import { useWords } from '../i18n';
import type { Key } from '../i18n/en';
import { Choice, Field } from '../kit/Field';
import { NumberField, Section, TextField, said, tree, type PartProps, type Tree } from './SettingsFields';

const CONFLICTS = ['queue', 'skip', 'cancel', 'replace'] as const;
const EXCESSES = ['queue', 'skip'] as const;

/** How many executions run at once. */
export function Concurrency({ settings, set }: PartProps) {
  const bare = Number(settings.maxConcurrentExecutions ?? 0) || undefined;
  const found: Tree = settings.concurrency ? tree(settings.concurrency) : { limit: bare };
  return (
    <Policy name="concurrency" found={found} main="limit" initial={settings.concurrency ? 1 : undefined} per="flow.per" title="flow.concurrency" number={{ label: 'flow.most', hint: 'flow.mostHint', min: 1 }}
      onChange={(concurrency) => set({ concurrency, maxConcurrentExecutions: undefined })}>
      {(change) => <TooMany label="flow.tooMany" choices={CONFLICTS} value={found.onConflict} onChange={(onConflict) => change({ onConflict })} />}
    </Policy>
  );
}

/** How many executions begin in a period. */
export function Rate({ settings, set }: PartProps) {
  const found = tree(settings.rate);
  return (
    <Policy name="rate" found={found} main="limit" initial={settings.rate ? 1 : undefined} per="flow.per" title="flow.rate" hint="flow.rateHint" number={{ label: 'flow.rateMost', hint: 'flow.mostHint', min: 1 }}
      onChange={(rate) => set({ rate })}>
      {(change) => (
        <>
          <NumberField label="flow.ratePeriod" path="settings.rate.periodSeconds" value={found.periodSeconds} min={1} placeholder="60" onChange={(periodSeconds) => change({ periodSeconds })} />
          <TooMany label="flow.rateTooMany" choices={EXCESSES} value={found.onExceed} onChange={(onExceed) => change({ onExceed })} />
        </>
      )}
    </Policy>
  );
}

/** Which of the starts that follow closely runs. */
export function Debounce({ settings, set }: PartProps) {
  const found = tree(settings.debounce);
  return (
    <Policy name="debounce" found={found} main="seconds" initial={settings.debounce ? 5 : undefined} per="flow.debouncePer" title="flow.debounce" hint="flow.debounceHint" number={{ label: 'flow.debounceS', hint: 'flow.debounceSHint', step: 0.1 }}
      onChange={(debounce) => set({ debounce })}>
      {(change) => <NumberField label="flow.debounceMost" hint="flow.debounceMostHint" path="settings.debounce.maxSeconds" value={found.maxSeconds} step={0.1} onChange={(maxSeconds) => change({ maxSeconds })} />}
    </Policy>
  );
}

interface PolicyProps {
  name: 'concurrency' | 'rate' | 'debounce';
  found: Tree;
  /** The number without which there is no policy, and what it is where the spec does not say it. */
  main: 'limit' | 'seconds';
  initial?: number;
  title: Key;
  hint?: Key;
  number: Pick<ComponentProps<typeof NumberField>, 'label' | 'hint' | 'min' | 'step'>;
  per: Key;
  onChange: (policy: Tree | undefined) => void;
  children: (change: (members: Tree) => void) => ReactNode;
}

/** A start policy: its number, and once there is one what else it says, and for which starts. */
function Policy({ name, found, main, initial, title, hint, number, per, onChange, children }: PolicyProps) {
  const value = found[main] ?? initial;
  const change = (members: Tree) => {
    const next: Tree = { ...found, [main]: value, ...members };
    onChange(next[main] === undefined ? undefined : said(next));
  };
  return (
    <Section title={title} hint={hint}>
      <NumberField {...number} path={`settings.${name}.${main}`} value={value} onChange={(next) => change({ [main]: next })} />
      {value !== undefined && (
        <>
          {children(change)}
          <TextField label={per} hint="flow.perHint" path={`settings.${name}.key`} value={found.key} isCode onChange={(key) => change({ key })} />
        </>
      )}
    </Section>
  );
}

/** What becomes of one too many; `queue` is what it is unsaid. */
function TooMany({ label, choices, value, onChange }: { label: Key; choices: readonly (typeof CONFLICTS)[number][]; value: unknown; onChange: (value: string | undefined) => void }) {
  const { say } = useWords();
  return (
    <Field label={say(label)}>
      {(id) => <Choice id={id} value={String(value ?? 'queue')} onChange={(event) => onChange(event.target.value === 'queue' ? undefined : event.target.value)}>{choices.map((each) => <option key={each} value={each}>{say(`flow.tooMany.${each}`)}</option>)}</Choice>}
    </Field>
  );
}
