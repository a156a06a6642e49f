import type { CardNode } from '../../graph/spec';
import { useWords } from '../../i18n';
import { Area, Choice, Field, Input } from '../../kit/Field';
import { patchNode } from '../store';

/** How a step behaves: when it fails, how often and how long it tries. */
export function Behaviour({ node }: { node: CardNode }) {
  const { say } = useWords();
  const { spec } = node.data;
  const number = (text: string) => (text === '' ? undefined : Number(text));
  return (
    <>
      <Field label={say('panel.onError')}>
        {(id) => (
          <Choice id={id} value={spec.onError ?? ''} onChange={(event) => patchNode(node.id, { onError: event.target.value || undefined }, 'onError')}>
            <option value="">{say('panel.onErrorDefault')}</option>
            <option value="fail">{say('panel.onErrorFail')}</option>
            <option value="branch">{say('panel.onErrorBranch')}</option>
            <option value="continue">{say('panel.onErrorContinue')}</option>
          </Choice>
        )}
      </Field>
      <Field label={say('panel.attempts')}>
        {(id) => <Input id={id} type="number" min={1} value={String(spec.retry?.maxAttempts ?? '')} onChange={(event) => patchNode(node.id, { retry: event.target.value ? { ...spec.retry, maxAttempts: Number(event.target.value) } : undefined }, 'retry')} />}
      </Field>
      <Field label={say('panel.timeout')}>{(id) => <Input id={id} type="number" min={1} value={spec.timeout ?? ''} onChange={(event) => patchNode(node.id, { timeout: number(event.target.value) }, 'timeout')} />}</Field>
      <label className="flex items-center gap-2 text-[13px]"><input type="checkbox" className="size-4 accent-[var(--accent)]" checked={!!spec.disabled} onChange={(event) => patchNode(node.id, { disabled: event.target.checked || undefined }, 'disabled')} /> {say('panel.disabled')}</label>
      <Field label={say('panel.notes')}>{(id) => <Area id={id} rows={4} value={spec.notes ?? ''} onChange={(event) => patchNode(node.id, { notes: event.target.value || undefined }, 'notes')} />}</Field>
    </>
  );
}
