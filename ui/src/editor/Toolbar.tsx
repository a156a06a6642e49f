import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowLeft, CircleAlert, CircleCheck, CircleHelp, Cloud, CloudOff, FileJson, History, ListTree, LoaderCircle, Play, Redo2, Settings2, Undo2, WandSparkles } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useLive } from '../api/live';
import type { Workflow } from '../api/schema.gen';
import { useRuns } from '../canvas/runs';
import { useWords } from '../i18n';
import type { Key } from '../i18n/en';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { actionOf, keysShown, type Context } from './actions';
import { PublishDialog } from './PublishDialog';
import { useProblems } from './problems';
import { save, useSaving, type SaveState } from './saving';
import { useEditor } from './store';

const SAVE: Record<SaveState, { key: Key; icon: typeof Cloud; look: string }> = {
  saved: { key: 'save.saved', icon: Cloud, look: 'text-faint' }, unsaved: { key: 'save.unsaved', icon: Cloud, look: 'text-soft' }, saving: { key: 'save.saving', icon: LoaderCircle, look: 'text-soft' },
  offline: { key: 'save.offline', icon: CloudOff, look: 'text-warn' }, conflict: { key: 'save.conflict', icon: CircleAlert, look: 'text-bad' }, failed: { key: 'save.failed', icon: CircleAlert, look: 'text-bad' },
};
interface Props {
  workflow: Workflow;
  context: Context;
  isBusy: boolean;
  onRunWith: () => void;
  onProblems: () => void;
}

/** Name, state of saving, problems, undo, run, publish. */
export function Toolbar({ workflow, context, isBusy, onRunWith, onProblems }: Props) {
  const { say } = useWords();
  const [name, setName] = useState(workflow.name);
  const [isPublishing, setPublishing] = useState(false);
  const [version, setVersion] = useState(workflow.version);
  const [isActive, setActive] = useState(workflow.is_active);
  const { state, revision, problem } = useSaving();
  const past = useEditor((each) => each.past.length);
  const future = useEditor((each) => each.future.length);
  const problems = useProblems((each) => each.list);
  const live = useLive((each) => each.state);
  const executionId = useRuns((each) => each.executionId);
  const path = { workflow_id: workflow.id };
  const isWrong = problems.some((each) => each.severity === 'error');
  const failed = (error: Error) => void toast.error(error.message);
  const rename = async () => {
    if (!name.trim()) setName(workflow.name);
    else if (name !== workflow.name) await call('PATCH /workflows/{workflow_id}', { path, body: { name } }).catch(failed);
  };
  const activate = useMutation({
    mutationFn: async () => { await save(); return isActive ? call('POST /workflows/{workflow_id}/deactivate', { path }) : call('POST /workflows/{workflow_id}/activate', { path }); },
    onSuccess: (found) => { setActive(found.is_active); toast.success(say(found.is_active ? 'edit.activated' : 'edit.deactivated')); }, onError: failed,
  });
  const { key, icon: Sign, look } = SAVE[state];
  const act = (wanted: string) => {
    const action = actionOf(wanted);
    return { title: `${say(action.label)} (${keysShown(action.keys[0]!)})`, 'aria-label': say(action.label), onClick: () => void action.perform(context) };
  };
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-surface px-3 py-2 max-sm:gap-x-2 max-sm:px-2">
      <Link to="/workflows" aria-label={say('nav.workflows')} className="rounded-lg p-1.5 text-soft hover:bg-sunk hover:text-ink"><ArrowLeft size={17} aria-hidden /></Link>
      <h1 className="sr-only">{name}</h1>
      <input aria-label={say('edit.name')} value={name} maxLength={255} onChange={(event) => setName(event.target.value)} onBlur={() => void rename()} onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
        className="w-64 min-w-0 max-sm:w-0 max-sm:flex-1 rounded-md bg-transparent px-1.5 py-1 text-[15px] font-semibold hover:bg-sunk focus:bg-sunk" />
      <span role="status" className={classes('inline-flex shrink-0 items-center gap-1.5 text-xs', look)} title={problem || say('save.savedRev', { revision })} data-testid="save-state" data-state={state}>
        <Sign size={14} className={state === 'saving' ? 'spin' : undefined} aria-hidden /> {say(key)}
      </span>
      <div className="flex-1 max-sm:hidden" />
      {executionId && live !== 'idle' && live !== 'live' && <span className="text-xs text-warn" role="status">{say(`live.${live}`)}</span>}
      <Button look="quiet" onClick={onProblems} icon={problems.length ? <CircleAlert size={15} className={isWrong ? 'text-bad' : 'text-warn'} aria-hidden /> : <CircleCheck size={15} className="text-good" aria-hidden />} data-testid="problems">
        {problems.length > 0 && <span className="sm:hidden" aria-hidden>{problems.length}</span>}
        <span className="max-sm:sr-only">{problems.length ? say(problems.length === 1 ? 'problems.count_one' : 'problems.count_other', { count: problems.length }) : say('problems.none')}</span>
      </Button>
      <div className="flex">
        <Button look="quiet" disabled={!past} icon={<Undo2 size={16} aria-hidden />} {...act('undo')} />
        <Button look="quiet" disabled={!future} icon={<Redo2 size={16} aria-hidden />} {...act('redo')} />
        <Button look="quiet" icon={<WandSparkles size={16} aria-hidden />} {...act('tidy')} />
        <Button look="quiet" icon={<ListTree size={16} aria-hidden />} {...act('outline')} />
        <Link to="/w/$workflowId/versions" params={{ workflowId: workflow.id }} aria-label={say('versions.title')} title={say('versions.title')} className="inline-flex size-8 items-center justify-center rounded-lg text-soft hover:bg-sunk hover:text-ink"><History size={16} aria-hidden /></Link>
        <Button look="quiet" icon={<Settings2 size={16} aria-hidden />} {...act('settings')} />
        <Button look="quiet" icon={<CircleHelp size={16} aria-hidden />} {...act('shortcuts')} />
      </div>
      <Button className="max-sm:!px-2" busy={activate.isPending} onClick={() => activate.mutate()} aria-pressed={isActive}>
        <span className={classes('size-2 rounded-full', isActive ? 'bg-good' : 'bg-line-strong')} aria-hidden /> {say(isActive ? 'edit.deactivate' : 'edit.activate')}
      </Button>
      <Button className="max-sm:!px-2" aria-haspopup="dialog" onClick={() => setPublishing(true)}>{say('edit.publish')}</Button>
      {isPublishing && <PublishDialog workflowId={workflow.id} latest={version} onClose={() => setPublishing(false)} onProblems={onProblems} onPublished={setVersion} />}
      <div className="flex">
        <Button look="main" className="rounded-r-none" busy={isBusy} icon={<Play size={14} fill="currentColor" aria-hidden />} onClick={context.run} title={`${say('edit.run')} (${keysShown('Mod+Enter')})`}>{say(isBusy ? 'edit.running' : 'edit.run')}</Button>
        <Button look="main" className="rounded-l-none border-l !border-l-white/30" aria-label={say('edit.settings')} title={say('edit.settings')} icon={<FileJson size={15} aria-hidden />} onClick={onRunWith} />
      </div>
    </header>
  );
}
