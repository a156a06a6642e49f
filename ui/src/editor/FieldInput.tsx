import { Braces, SquareFunction } from 'lucide-react';
import { useEffect, useState } from 'react';
import { isExpression, shownBefore, type FormField } from '../graph/form';
import { useWords } from '../i18n';
import { classes } from '../kit/classes';
import { Choice, Field, Input } from '../kit/Field';
import { CredentialChoice } from './CredentialChoice';
import { Expression } from './Expression';
import { PATH_TYPE, useTarget } from './panel/source';

interface Props {
  field: FormField;
  value: unknown;
  error?: string;
  /** Whether the step decides: its bare expressions are asked once. */
  isLogic?: boolean;
  onChange: (value: unknown) => void;
}

/** Parameters that are an expression without braces. */
const BARE = new Set(['expression', 'condition', 'while', 'collect']);
/** Bare ones that are asked once, not for each item. */
const ALONE = new Set(['expression', 'condition']);

/** One parameter: a fixed value in a fitting field, or an expression. */
export function FieldInput({ field, value, error, isLogic, onChange }: Props) {
  const { say } = useWords();
  const [isFree, setFree] = useState(isExpression(value));
  useEffect(() => {
    if (isExpression(value)) setFree(true);
  }, [value]);
  const label = field.name.replace(/_/g, ' ').replace(/^./, (letter) => letter.toUpperCase());
  const flip = () => {
    setFree(!isFree);
    if (!isFree && (typeof value === 'number' || typeof value === 'boolean')) onChange(`{{ ${String(value)} }}`);
    if (isFree && isExpression(value)) onChange(fixedOf(String(value)));
  };
  const aside = field.kind !== 'json' && field.kind !== 'long' && (
    <button type="button" aria-pressed={isFree} aria-label={say('panel.mode', { field: label })} title={say(isFree ? 'panel.expression' : 'panel.fixed')} onClick={flip}
      className={classes('grid size-6 place-items-center rounded-md', isFree ? 'bg-accent-soft text-accent-text' : 'text-faint hover:bg-sunk hover:text-ink')}>
      <SquareFunction size={14} aria-hidden />
    </button>
  );
  return (
    <Field label={label} hint={field.about} error={error} isRequired={field.isRequired} aside={aside || <Braces size={13} className="text-faint" aria-hidden />}>
      {(id, described) => {
        const about = { id, 'aria-describedby': described, 'aria-invalid': error ? true : undefined, 'data-field': field.name };
        if (field.kind === 'json') return <JsonInput about={about} label={label} value={value} before={shownBefore(field, value)} onChange={onChange} />;
        if (isFree || field.kind === 'long' || BARE.has(field.name)) {
          const isBare = BARE.has(field.name);
          return <Expression error={error} about={about} label={label} text={asText(value)} onText={onChange} isBare={isBare} isAlone={!isBare || (isLogic && ALONE.has(field.name))} rows={field.kind === 'long' ? 4 : 2} placeholder={field.kind === 'long' || isBare ? undefined : '{{ input.field }}'} />;
        }
        const take = {
          onFocus: () => useTarget.setState({ target: { put: (path: string) => onChange(`{{ ${path} }}`) } }),
          onDragOver: (event: React.DragEvent) => event.dataTransfer.types.includes(PATH_TYPE) && event.preventDefault(),
          onDrop: (event: React.DragEvent) => {
            const path = event.dataTransfer.getData(PATH_TYPE);
            if (!path) return;
            event.preventDefault();
            onChange(`${typeof value === 'string' ? value : ''}{{ ${path} }}`);
          },
        };
        if (field.kind === 'credential') return <CredentialChoice about={about} value={asText(value)} onChange={onChange} />;
        if (field.kind === 'switch') {
          return (
            <Choice {...about} {...take} value={value === undefined ? '' : String(value)} onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value === 'true')}>
              <option value="">{field.initial === undefined ? '–' : `(${String(field.initial)})`}</option>
              <option value="true">true</option>
              <option value="false">false</option>
            </Choice>
          );
        }
        if (field.kind === 'choice') {
          return (
            <Choice {...about} {...take} value={asText(value)} onChange={(event) => onChange(event.target.value || undefined)}>
              <option value="">{field.initial === undefined ? '–' : `(${String(field.initial)})`}</option>
              {field.choices.map((each) => <option key={each} value={each}>{each}</option>)}
            </Choice>
          );
        }
        if (field.kind === 'number') return <Input {...about} {...take} type="number" step="any" value={asText(value)} placeholder={asText(field.initial)} onChange={(event) => onChange(event.target.value === '' ? undefined : Number(event.target.value))} />;
        return <Input {...about} {...take} value={asText(value)} placeholder={asText(field.initial)} spellCheck={false} onChange={(event) => onChange(event.target.value)} />;
      }}
    </Field>
  );
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
/** A lone literal in an expression as what it is: `{{ 3 }}` is 3. */
function fixedOf(text: string): unknown {
  const inner = /^\{\{\s*(.*?)\s*\}\}$/s.exec(text)?.[1] ?? text;
  try {
    return JSON.parse(inner);
  } catch {
    return undefined;
  }
}

/** JSON, or a plain text: what does not parse is kept as it is typed, and goes out as text. */
function JsonInput({ about, label, value, before, onChange }: { about: Record<string, unknown>; label: string; value: unknown; before: unknown; onChange: (value: unknown) => void }) {
  const { say } = useWords();
  const shown = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  const [text, setText] = useState(shown);
  const [sent, setSent] = useState(shown);
  if (shown !== sent) {
    setSent(shown);
    setText(shown);
  }
  const looksLikeJson = /^\s*[[{](?!\{)/.test(text);
  let isBroken = false;
  try {
    if (looksLikeJson) JSON.parse(text);
  } catch {
    isBroken = true;
  }
  const type = (next: string) => {
    setText(next);
    let found: unknown = next === '' ? undefined : next;
    try {
      if (/^\s*([[{"]|-?\d|true|false|null)/.test(next)) found = JSON.parse(next);
    } catch {
      if (/^\s*[[{](?!\{)/.test(next)) return; // half of it: wait for the rest
    }
    setSent(found === undefined ? '' : typeof found === 'string' ? found : JSON.stringify(found, null, 2));
    onChange(found);
  };
  return (
    <>
      <Expression about={about} label={label} text={text} value={isBroken ? undefined : before} isAlone={!isBroken && before !== undefined} onText={type} rows={Math.min(12, Math.max(2, text.split('\n').length))} />
      {isBroken && <p className="text-xs text-bad">{say('edit.notJson')}</p>}
    </>
  );
}
