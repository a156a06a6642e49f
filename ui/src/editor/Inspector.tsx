import { X } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { useState } from 'react';
import { hueOf, signOf } from '../canvas/signs';
import { useNodeRun, useRuns } from '../canvas/runs';
import { typeOf, useShapes } from '../canvas/shapes';
import { ErrorCard } from '../canvas/ErrorCard';
import { Output } from '../canvas/Output';
import { fieldsOf, valueOf, withValue, type FormField } from '../graph/form';
import type { CardNode } from '../graph/spec';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Area, Choice, Field, Input } from '../kit/Field';
import { Status } from '../kit/Status';
import { FieldInput } from './FieldInput';
import { useProblems, type Found } from './problems';
import { patchNode, useEditor } from './store';

const TAB = 'border-b-2 border-transparent px-1 pb-2 text-[13px] font-medium text-soft hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink';

/** The chosen step: its parameters, how it behaves, what its last run said. */
export function Inspector({ node, tab, onTab, onClose }: { node: CardNode; tab: string; onTab: (tab: string) => void; onClose: () => void }) {
  const { say } = useWords();
  const { spec } = node.data;
  const type = typeOf(spec.type);
  const run = useNodeRun(node.id);
  const Sign = signOf(type?.type ?? spec.type);
  const triggers = useShapes((state) => state.types).filter((each) => each.group === 'trigger');
  const isTrigger = useEditor((state) => state.triggerId === node.id);
  return (
    <aside aria-label={say('panel.title')} onKeyDown={(event) => event.key === 'Escape' && onClose()} className="flex w-96 shrink-0 flex-col border-l border-line bg-surface">
      <header className="flex items-center gap-3 px-4 pt-4 pb-3">
        <span className={classes('grid size-9 shrink-0 place-items-center rounded-lg', hueOf(type?.type ?? spec.type))}><Sign size={18} aria-hidden /></span>
        <div className="min-w-0 flex-1">
          <input aria-label={say('panel.label')} className="-ml-1 w-full rounded-md bg-transparent px-1 text-[15px] font-semibold hover:bg-sunk focus:bg-sunk" value={spec.label ?? ''} placeholder={type?.title ?? spec.type} onChange={(event) => patchNode(node.id, { label: event.target.value || undefined }, 'label')} />
          <p className="truncate text-xs text-faint" title={say('panel.id')}>{type?.title ?? spec.type} · <code className="font-mono">{node.id}</code></p>
        </div>
        <Button look="quiet" aria-label={say('app.close')} icon={<X size={16} aria-hidden />} onClick={onClose} />
      </header>
      <Tabs.Root value={tab} onValueChange={onTab} className="flex min-h-0 flex-1 flex-col">
        <Tabs.List aria-label={say('panel.title')} className="flex gap-5 border-b border-line px-4">
          <Tabs.Trigger value="parameters" className={TAB}>{say('panel.parameters')}</Tabs.Trigger>
          <Tabs.Trigger value="run" className={classes(TAB, 'inline-flex items-center gap-1.5')}>{say('panel.lastRun')}{run && <Status small status={run.status} label={worded(say, `status.${run.status}`, run.status)} />}</Tabs.Trigger>
          <Tabs.Trigger value="settings" className={TAB}>{say('panel.settings')}</Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content value="parameters" className="flex flex-1 flex-col gap-4 overflow-y-auto p-4 outline-none">
          {type && <p className="text-[13px] text-soft">{type.summary}</p>}
          {isTrigger && (
            <Field label={say('panel.replace')}>
              {(id) => <Choice id={id} value={type?.type} onChange={(event) => patchNode(node.id, { type: event.target.value, config: {}, label: undefined }, 'type')}>{triggers.map((each) => <option key={each.type} value={each.type}>{each.title}</option>)}</Choice>}
            </Field>
          )}
          <Parameters key={`${node.id}:${spec.type}`} node={node} />
        </Tabs.Content>
        <Tabs.Content value="run" className="flex-1 overflow-y-auto p-4 outline-none"><LastRun node={node} onFix={() => onTab('parameters')} /></Tabs.Content>
        <Tabs.Content value="settings" className="flex flex-1 flex-col gap-4 overflow-y-auto p-4 outline-none"><Behaviour node={node} /></Tabs.Content>
      </Tabs.Root>
    </aside>
  );
}

function Parameters({ node }: { node: CardNode }) {
  const { say } = useWords();
  const { spec } = node.data;
  const type = typeOf(spec.type);
  const config = spec.config ?? {};
  const [began] = useState(config); // which fields come first does not change while one types
  const [isMore, setMore] = useState(false);
  const problems = useProblems((state) => state.list).filter((each) => each.nodeId === node.id);
  const fields = fieldsOf(type?.parameters ?? {}, began, type?.example);
  if (!fields.length) return <p className="text-[13px] text-faint">{say('panel.none')}</p>;
  const draw = (each: (typeof fields)[number]) => (
    <FieldInput key={each.name} field={each} value={valueOf(each, config)} error={problems.find((problem) => isAbout(problem, each))?.message}
      onChange={(value) => patchNode(node.id, { config: withValue(each, spec.config ?? {}, value) }, `config.${each.name}`)} />
  );
  const others = fields.filter((each) => !each.isFirst);
  const loose = problems.filter((each) => !fields.some((field) => isAbout(each, field)));
  return (
    <>
      {loose.map((each) => <p key={each.path + each.code} className={classes('rounded-lg px-3 py-2 text-[13px]', each.severity === 'warning' ? 'bg-warn-soft text-warn' : 'bg-bad-soft text-bad')}>{each.message}</p>)}
      {fields.filter((each) => each.isFirst).map(draw)}
      {others.length > 0 && (
        <details open={isMore} onToggle={(event) => setMore(event.currentTarget.open)}>
          <summary className="text-[13px] font-medium text-accent-text">{say('panel.more')} ({others.length})</summary>
          {isMore && <div className="mt-4 flex flex-col gap-4">{others.map(draw)}</div>}
        </details>
      )}
    </>
  );
}

/** Whether a problem is about a field: by its path, or by name where something is missing. */
function isAbout(problem: Found, field: FormField): boolean {
  return [field.name, ...field.aliases].some((name) => new RegExp(`\\.config\\.${name}\\b`).test(problem.path) || (problem.path.endsWith('.config') && problem.message.includes(`"${name}"`)));
}

function LastRun({ node, onFix }: { node: CardNode; onFix: () => void }) {
  const { say } = useWords();
  const run = useNodeRun(node.id);
  const executionId = useRuns((state) => state.executionId);
  const seq = useRuns((state) => state.seen.seq);
  if (!run || !executionId) return <p className="text-[13px] text-faint">{say('panel.noRun')}</p>;
  return (
    <div className="flex flex-col gap-3">
      {run.error && <ErrorCard run={run} onFix={onFix} />}
      {run.out && <Output executionId={executionId} nodeKey={run.out} seq={seq} />}
      {!run.error && !run.out && <Status status={run.status} label={worded(say, `status.${run.status}`, run.status)} />}
    </div>
  );
}

function Behaviour({ node }: { node: CardNode }) {
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
