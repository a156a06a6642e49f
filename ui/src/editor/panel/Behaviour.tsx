import { typeOf } from '../../canvas/shapes';
import type { CardNode } from '../../graph/spec';
import { useWords } from '../../i18n';
import type { Key } from '../../i18n/en';
import { Area, Choice, Field, Input } from '../../kit/Field';
import { patchNode } from '../store';

/** Classes of steps that a worker runs. */
const ON_WORKERS = new Set(['idempotent', 'keyed', 'once']);
const RULES: Record<string, Key> = { look_up: 'behaviour.unknownLookUp', park: 'behaviour.unknownPark', fail: 'behaviour.unknownFail', retry: 'behaviour.unknownRetry' };

/** How a step behaves: when it fails, how often and how long it tries, and when nobody knows what it did. */
export function Behaviour({ node }: { node: CardNode }) {
  const { say } = useWords();
  const { spec } = node.data;
  const type = typeOf(spec.type);
  const isOnWorker = ON_WORKERS.has(type?.class ?? '');
  const rules = Object.keys(RULES).filter((each) => each !== 'look_up' || type?.can_look_up || spec.unknown === each);
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
      {isOnWorker && <Field label={say('behaviour.heartbeat')} hint={say('behaviour.heartbeatHint')}>{(id, about) => <Input id={id} aria-describedby={about} type="number" min={1} value={spec.heartbeatTimeout ?? ''} onChange={(event) => patchNode(node.id, { heartbeatTimeout: number(event.target.value) }, 'heartbeatTimeout')} />}</Field>}
      {isOnWorker && <Field label={say('behaviour.start')}>{(id) => <Input id={id} type="number" min={1} value={spec.scheduleToStart ?? ''} onChange={(event) => patchNode(node.id, { scheduleToStart: number(event.target.value) }, 'scheduleToStart')} />}</Field>}
      {type?.class === 'once' && (
        <Field label={say('behaviour.unknown')} hint={say('behaviour.unknownHint')}>
          {(id, about) => (
            <Choice id={id} aria-describedby={about} value={spec.unknown ?? ''} onChange={(event) => patchNode(node.id, { unknown: event.target.value || undefined }, 'unknown')}>
              <option value="">{say('behaviour.unknownDefault')}</option>
              {rules.map((each) => <option key={each} value={each}>{say(RULES[each]!)}</option>)}
            </Choice>
          )}
        </Field>
      )}
      <label className="flex items-center gap-2 text-[13px]"><input type="checkbox" className="size-4 accent-[var(--accent)]" checked={!!spec.disabled} onChange={(event) => patchNode(node.id, { disabled: event.target.checked || undefined }, 'disabled')} /> {say('panel.disabled')}</label>
      <Field label={say('panel.notes')}>{(id) => <Area id={id} rows={4} value={spec.notes ?? ''} onChange={(event) => patchNode(node.id, { notes: event.target.value || undefined }, 'notes')} />}</Field>
    </>
  );
}
