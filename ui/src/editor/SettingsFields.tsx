import { useState, type ReactNode } from 'react';
import { useWords } from '../i18n';
import type { Key } from '../i18n/en';
import { Area, Field, Input } from '../kit/Field';
import { useProblems } from './problems';

export type Tree = Record<string, unknown>;
type Part = 'settings' | 'errorHandling';
/** What a part of the settings is given: all of them, and how to change members of them. */
export interface PartProps {
  settings: Tree;
  set: (members: Tree) => void;
}
export const tree = (value: unknown): Tree => (typeof value === 'object' && value !== null ? (value as Tree) : {});
/** The members that are said; undefined where none is left. */
export const said = (members: Tree): Tree | undefined => {
  const kept = Object.entries(members).filter(([, value]) => value !== undefined);
  return kept.length ? Object.fromEntries(kept) : undefined;
};

export function Section({ title, hint, children }: { title: Key; hint?: Key; children: ReactNode }) {
  const { say } = useWords();
  return (
    <section aria-label={say(title)}>
      <h3 className="mb-1 text-[13px] font-semibold">{say(title)}</h3>
      {hint && <p className="mb-1 text-xs text-faint">{say(hint)}</p>}
      <div className="grid items-start gap-x-5 gap-y-3 sm:grid-cols-2">{children}</div>
    </section>
  );
}

interface One<T> {
  label: Key;
  hint?: Key;
  /** Where it stands in the spec, for what is said to be wrong. */
  path: `${Part}.${string}`;
  value: unknown;
  placeholder?: string;
  onChange: (value: T | undefined) => void;
}
function useWrong(path: string): string | undefined {
  return useProblems((state) => state.list.find((each) => each.path === `$.${path}` || each.path.startsWith(`$.${path}.`))?.message);
}

/** A number, shown in a unit of so many of what the spec counts in. */
export function NumberField({ label, hint, path, value, unit = 1, min = 0, max, step, placeholder, onChange }: One<number> & { unit?: number; min?: number; max?: number; step?: number }) {
  const { say } = useWords();
  const wrong = useWrong(path);
  const isWhole = step === undefined;
  return (
    <Field label={say(label)} hint={hint && say(hint)} error={wrong}>
      {(id, described) => (
        <Input id={id} aria-describedby={described} aria-invalid={wrong ? true : undefined} data-setting={path} type="number" min={min} max={max} step={unit > 1 ? 'any' : (step ?? 1)} placeholder={placeholder}
          value={typeof value === 'number' && value !== 0 ? value / unit : value === 0 && path.endsWith('priority') ? 0 : ''}
          onChange={(event) => onChange(event.target.value === '' ? undefined : isWhole ? Math.round(event.target.valueAsNumber * unit) : event.target.valueAsNumber * unit)} />
      )}
    </Field>
  );
}
export function TextField({ label, hint, path, value, placeholder, list, isCode, onChange }: One<string> & { list?: string; isCode?: boolean }) {
  const { say } = useWords();
  const wrong = useWrong(path);
  return (
    <Field label={say(label)} hint={hint && say(hint)} error={wrong}>
      {(id, described) => <Input id={id} aria-describedby={described} aria-invalid={wrong ? true : undefined} data-setting={path} list={list} spellCheck={false} className={isCode ? 'font-mono !text-xs' : undefined} placeholder={placeholder} value={String(value ?? '')} onChange={(event) => onChange(event.target.value || undefined)} />}
    </Field>
  );
}
/** An object as JSON; what is no object yet stays here until it is one. */
export function JsonField({ label, hint, path, value, onChange }: One<Tree>) {
  const { say } = useWords();
  const wrong = useWrong(path);
  const [text, setText] = useState(() => (value && Object.keys(tree(value)).length ? JSON.stringify(value, null, 2) : ''));
  const [isBroken, setBroken] = useState(false);
  const type = (next: string) => {
    setText(next);
    try {
      const found: unknown = next.trim() ? JSON.parse(next) : undefined;
      const fits = found === undefined || (typeof found === 'object' && found !== null && !Array.isArray(found));
      setBroken(!fits);
      if (fits) onChange(found as Tree | undefined);
    } catch {
      setBroken(true);
    }
  };
  return (
    <Field label={say(label)} hint={hint && say(hint)} error={isBroken ? say('edit.notJson') : wrong}>
      {(id, described) => <Area id={id} aria-describedby={described} aria-invalid={isBroken || wrong ? true : undefined} data-setting={path} rows={4} spellCheck={false} className="font-mono !text-xs" value={text} onChange={(event) => type(event.target.value)} />}
    </Field>
  );
}
