import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { version as versionOf } from '../api/queries';
import { diff } from '../graph/diff';
import { toSpec, type Spec } from '../graph/spec';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Field, Input } from '../kit/Field';
import { useProblems } from './problems';
import { save, useSaving } from './saving';
import { useEditor } from './store';

interface Props {
  workflowId: string;
  /** The last version; 0 before the first. */
  latest: number;
  onClose: () => void;
  onProblems: () => void;
  onPublished: (version: number) => void;
}

/** Makes the draft the next version: what changed, what stands against it, a name for it. */
export function PublishDialog({ workflowId, latest, onClose, onProblems, onPublished }: Props) {
  const { say } = useWords();
  const [note, setNote] = useState('');
  const errors = useProblems((state) => state.list).filter((each) => each.severity === 'error');
  const pinned = useEditor.getState().nodes.filter((each) => each.data.spec.pinned).map((each) => each.data.spec.label || each.id);
  const before = useQuery({ ...versionOf(workflowId, latest), enabled: latest > 0 });
  const changes = before.data && diff(before.data.spec as unknown as Spec, toSpec(useEditor.getState()));
  const publish = useMutation({
    mutationFn: async () => {
      await save();
      const { state, problem } = useSaving.getState();
      if (state !== 'saved') throw new Error(problem || say('save.failed'));
      return call('POST /workflows/{workflow_id}/publish', { path: { workflow_id: workflowId }, body: { note } });
    },
    onSuccess: ({ version }) => { toast.success(say('edit.published', { version })); onPublished(version); onClose(); },
    onError: (error) => toast.error(error.message),
  });
  return (
    <Dialog title={say('edit.publish')} about={say('publish.about')} isOpen onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-3" onSubmit={(event) => { event.preventDefault(); publish.mutate(); }}>
        {errors.length > 0 && (
          <div role="alert" className="rounded-lg border border-bad/40 bg-bad-soft p-3 text-[13px]">
            <p className="font-semibold text-bad">{say('publish.blocked')}</p>
            <ul className="mt-1 list-disc pl-5">{errors.slice(0, 5).map((each, index) => <li key={index}>{each.message}</li>)}</ul>
            <Button className="mt-2" onClick={() => { onClose(); onProblems(); }}>{say('problems.show')}</Button>
          </div>
        )}
        {changes && <p className="text-[13px] text-soft">{changes.steps.length + changes.rest.length + Object.keys(changes.edges).length ? say('publish.changes', { steps: changes.steps.length, version: latest }) : say('publish.same', { version: latest })}</p>}
        {pinned.length > 0 && <p role="status" className="rounded-lg bg-warn-soft px-3 py-2 text-[13px] text-warn" data-testid="pins">{say('pin.publish', { names: pinned.join(', ') })}</p>}
        <Field label={say('publish.note')} hint={say('publish.noteHint')}>{(id) => <Input id={id} autoFocus maxLength={255} value={note} onChange={(event) => setNote(event.target.value)} />}</Field>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{say('app.cancel')}</Button>
          <Button look="main" type="submit" disabled={errors.length > 0} busy={publish.isPending}>{say('edit.publish')}</Button>
        </div>
      </form>
    </Dialog>
  );
}
