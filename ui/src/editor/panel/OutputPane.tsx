import { useQuery } from '@tanstack/react-query';
import { Pencil, Pin, PinOff } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { nodeRun } from '../../api/data';
import { ErrorCard } from '../../canvas/ErrorCard';
import { useMarks } from '../../canvas/marks';
import { Output } from '../../canvas/Output';
import { liveOf, useNodeRun, useRuns } from '../../canvas/runs';
import type { NodeRun } from '../../graph/live';
import type { CardNode } from '../../graph/spec';
import { useWords, worded } from '../../i18n';
import { Button } from '../../kit/Button';
import { Dialog } from '../../kit/Dialog';
import { Area, Field } from '../../kit/Field';
import { JsonView } from '../../kit/JsonView';
import { Status } from '../../kit/Status';
import { useEditor } from '../store';
import { pin, unpin } from './running';
import { useNames, useSource } from './source';

/** What the step said in the run that is shown, and what is pinned for tests. */
export function OutputPane({ node, onFix }: { node: CardNode; onFix: (field?: string) => void }) {
  const { say } = useWords();
  const workflowId = useEditor((state) => state.workflowId);
  const executionId = useRuns((state) => state.executionId);
  const run = useShownRun(node.id, executionId);
  const seq = useRuns((state) => state.seen.seq);
  const isStale = useMarks((state) => state.stale.has(node.id));
  const [isEditing, setEditing] = useState(false);
  const pinned = node.data.spec.pinned as { output: unknown } | undefined;
  const keep = (what: Parameters<typeof pin>[2]) => pin(workflowId, node.id, what).catch((error: Error) => void toast.error(error.message));
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-1.5">
        {run && <Status status={run.status} label={worded(say, `status.${run.status}`, run.status)} />}
        {isStale && run && <span className="rounded-full bg-warn-soft px-2 py-0.5 text-xs text-warn" data-testid="stale">{say('pane.stale')}</span>}
        <div className="flex-1" />
        {pinned ? <Button look="quiet" icon={<PinOff size={14} aria-hidden />} onClick={() => unpin(node.id)}>{say('pin.off')}</Button>
          : run?.out && executionId && <Button look="quiet" icon={<Pin size={14} aria-hidden />} onClick={() => void keep({ execution_id: executionId, key: run.out! })}>{say('pin.on')}</Button>}
        <Button look="quiet" icon={<Pencil size={14} aria-hidden />} onClick={() => setEditing(true)}>{say('pin.edit')}</Button>
      </div>
      {pinned && (
        <section aria-label={say('pin.title')} className="flex flex-col gap-1.5 rounded-xl border border-accent/40 bg-accent-soft p-3">
          <p className="text-xs text-accent-text">{say('pin.about')}</p>
          <JsonView value={pinned.output} label={say('pin.title')} />
        </section>
      )}
      {run?.error && <ErrorCard run={run} executionId={executionId} config={node.data.spec.config} onFix={onFix} />}
      {run?.out && executionId && <Output key={`${executionId}:${run.out}`} executionId={executionId} nodeKey={run.out} seq={seq} />}
      {!run && !pinned && <p className="text-[13px] text-faint">{say('panel.noRun')}</p>}
      {isEditing && <EditOutput before={pinned?.output} onClose={() => setEditing(false)} onKeep={(output) => { setEditing(false); void keep({ output }); }} />}
    </div>
  );
}

/** The run of the step that is looked at: of many in a loop the one whose input is shown, else the newest. */
function useShownRun(nodeId: string, executionId: string): NodeRun | undefined {
  const newest = useNodeRun(nodeId);
  const { run } = useNames();
  const source = useSource();
  const isOneOfMany = executionId !== '' && source.executionId === executionId && !!run && run.count > 1;
  const found = useQuery({ ...nodeRun(executionId, run?.key ?? '', source.version), enabled: isOneOfMany });
  return isOneOfMany && found.data ? liveOf(found.data) : newest;
}

/** Asks for the output that tests take instead of running the step. */
function EditOutput({ before, onClose, onKeep }: { before: unknown; onClose: () => void; onKeep: (output: unknown) => void }) {
  const { say } = useWords();
  const [text, setText] = useState(() => JSON.stringify(before ?? {}, null, 2));
  const [isWrong, setWrong] = useState(false);
  const keep = () => {
    try {
      onKeep(JSON.parse(text));
    } catch {
      setWrong(true);
    }
  };
  return (
    <Dialog title={say('pin.edit')} isOpen onClose={onClose} closeLabel={say('app.close')} isWide>
      <Field label={say('execution.output')} hint={say('pin.about')} error={isWrong ? say('edit.notJson') : undefined}>
        {(id, described) => <Area id={id} aria-describedby={described} aria-invalid={isWrong || undefined} rows={16} spellCheck={false} className="font-mono !text-xs" value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      <div className="mt-4 flex justify-end"><Button look="main" onClick={keep}>{say('pin.on')}</Button></div>
    </Dialog>
  );
}
