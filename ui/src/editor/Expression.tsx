import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { preview } from '../api/data';
import { markOf, mended } from '../graph/paths';
import { useWords } from '../i18n';
import { Area } from '../kit/Field';
import type { Props as CodeProps } from './ExpressionCode';
import { NodeContext, useNames, useSource, useIsKnown } from './panel/source';

/** Fetched when it is first needed, or before; where it cannot be, a plain field does: the server may be away while people write. */
const ExpressionCode = lazy(() => import('./ExpressionCode').catch(() => ({ default: Plain })));
export const fetchCode = (): void => void import('./ExpressionCode').catch(() => undefined);
function Plain({ value, onChange, attributes, rows, placeholder }: CodeProps) {
  return <Area {...attributes} rows={rows} placeholder={placeholder} spellCheck={false} className="font-mono !text-xs" value={value} onChange={(event) => onChange(event.target.value)} />;
}

interface Props {
  /** What else is said to be wrong; it is not said twice. */
  error?: string;
  about: Record<string, unknown>;
  label: string;
  text: string;
  onText: (text: string) => void;
  /** What is evaluated, where it is not the text: JSON with expressions in it. */
  value?: unknown;
  isBare?: boolean;
  /** Whether it can be evaluated by itself; bodies over items cannot. */
  isAlone?: boolean;
  rows?: number;
  placeholder?: string;
}

/** Text with expressions: completed from real data, and what it gives shown as one types. */
export function Expression({ error: told, about, label, text, onText, value, isBare = false, isAlone = true, rows = 2, placeholder }: Props) {
  const names = useNames();
  // Who writes already when the code field arrives goes on writing there, at the same place.
  const caret = useRef<number | null>(null);
  const asked = value === undefined ? text : value;
  const holds = isBare ? text.trim() !== '' : text.includes('{{');
  const { found, isAsked } = usePreview(holds && isAlone ? JSON.stringify(asked) : '', isBare);
  const error = isAsked ? found.data?.error : undefined;
  const attributes: Record<string, string | undefined> = { 'aria-label': label };
  for (const [name, each] of Object.entries(about)) attributes[name] = each === undefined ? undefined : String(each);
  if (error) attributes['aria-invalid'] = 'true';
  return (
    <>
      <Suspense fallback={<Area {...about} aria-label={label} rows={rows} spellCheck={false} className="font-mono !text-xs" value={text} onChange={(event) => onText(event.target.value)}
        onSelect={(event) => { caret.current = event.currentTarget.selectionEnd; }} onBlur={() => { caret.current = null; }} />}>
        <ExpressionCode caret={caret} value={text} onChange={onText} attributes={attributes} isBare={isBare} rows={rows} placeholder={placeholder} names={names} mark={error ? markOf(text, error) : null} />
      </Suspense>
      {isAsked && !(error && error.message === told) && <Result found={found.data} onMend={error ? () => { const better = mended(text, error); if (better) onText(better); } : undefined} canMend={!!error && mended(text, error) !== null} name={String(about['data-field'] ?? label)} />}
    </>
  );
}

/** What JSON with expressions gives; what is typed meanwhile is asked as soon as an answer is there: one question at a time. */
function usePreview(wanted: string, isBare: boolean) {
  const nodeId = useContext(NodeContext);
  const source = useSource();
  const isKnown = useIsKnown(nodeId);
  const [asked, setAsked] = useState(wanted);
  const value = useMemo(() => (asked ? (JSON.parse(asked) as unknown) : undefined), [asked]);
  const found = useQuery({ ...preview({ ...source, nodeId, value, isBare }), enabled: isKnown && asked !== '' && source.workflowId !== '' });
  const isBusy = found.isFetching;
  useEffect(() => {
    if (!isBusy) setAsked(wanted);
  }, [wanted, isBusy]);
  return { found, isAsked: wanted !== '' && asked !== '' };
}

const SHOWN = 600;
/** What it gives, or why it gives nothing. */
function Result({ found, canMend, onMend, name }: { found: { value?: unknown; type?: string | null; is_cut?: boolean; error?: { message: string; nearest?: string | null } | null } | undefined; canMend: boolean; onMend?: () => void; name: string }) {
  const { say } = useWords();
  if (!found) return null;
  if (found.error) {
    return (
      <p className="flex items-start justify-between gap-2 text-xs text-bad" role="status" data-testid={`preview-${name}`}>
        <span className="min-w-0 break-words">{found.error.message}</span>
        {canMend && <button type="button" className="shrink-0 rounded-md border border-line px-1.5 font-medium text-accent-text hover:bg-sunk" onClick={onMend}>{say('expression.use', { name: found.error.nearest })}</button>}
      </p>
    );
  }
  const text = typeof found.value === 'string' ? found.value : JSON.stringify(found.value);
  return (
    <p className="flex items-baseline gap-2 rounded-md bg-good-soft px-2 py-1 text-xs" role="status" data-testid={`preview-${name}`}>
      <span className="shrink-0 text-faint">{found.type}</span>
      <span className="max-h-24 min-w-0 overflow-y-auto font-mono break-words whitespace-pre-wrap text-ink" data-value>{text.length > SHOWN || found.is_cut ? `${text.slice(0, SHOWN)}…` : text}</span>
    </p>
  );
}
