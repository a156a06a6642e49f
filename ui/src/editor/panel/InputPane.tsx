import { useNavigate } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { toast } from 'sonner';
import { lastRuns } from '../../api/data';
import type { RunOfNode } from '../../api/schema.gen';
import { DataTree } from '../../canvas/DataTree';
import { useRuns } from '../../canvas/runs';
import { useWords, worded } from '../../i18n';
import { Button } from '../../kit/Button';
import { Choice, Input } from '../../kit/Field';
import { Failed, Loading } from '../../kit/Page';
import { Status } from '../../kit/Status';
import { ago } from '../../kit/time';
import { chooseRun, PATH_TYPE, useNames, useSameTurn, useSource, useTarget } from './source';

/** What the step can name, with real data: dragged into a field, or put where one writes. */
export function InputPane() {
  const { say, language } = useWords();
  const navigate = useNavigate({ from: '/w/$workflowId/edit' });
  const { workflowId, executionId } = useSource();
  const shown = useRuns((state) => state.executionId);
  const runs = useQuery(lastRuns(workflowId, shown));
  const names = useNames();
  const pick = (path: string) => {
    const { target } = useTarget.getState();
    if (target) target.put(path);
    else void navigator.clipboard.writeText(`{{ ${path} }}`).then(() => toast(say('input.copied')));
  };
  const list = runs.data ?? [];
  return (
    <div className="flex flex-col gap-3">
      {(list.length > 0 || shown) && (
        <Choice aria-label={say('input.data')} className="!text-xs" value={executionId} onChange={(event) => void navigate({ search: (before) => ({ ...before, exec: event.target.value }), replace: true })}>
          {!list.some((each) => each.id === executionId) && <option value={executionId}>{say('input.of', { id: executionId.slice(0, 8) })}</option>}
          {list.map((each) => <option key={each.id} value={each.id}>{worded(say, `status.${each.status}`, each.status)} · {ago(each.started_at, language)} · {each.id.slice(0, 8)}</option>)}
        </Choice>
      )}
      {names.run && names.run.count > 1 && <RunChoice executionId={executionId} run={names.run} />}
      {!executionId && !names.isWaiting && <p className="text-xs text-faint">{say('input.none')}</p>}
      {names.isWaiting && <Loading label={say('app.loading')} />}
      {names.problem && <Failed title={say('app.failed')} error={names.problem} />}
      {names.roots.map((each) => {
        const name = each.kind === 'node' ? (each.label || each.node_id!) : each.kind;
        return <DataTree key={each.path} field={{ ...each, name }} label={name} depth={each.kind === 'input' ? 3 : each.kind === 'node' ? 1 : 0} onPick={pick} onDrag={(event, path) => { event.dataTransfer.setData(PATH_TYPE, path); event.dataTransfer.setData('text/plain', `{{ ${path} }}`); }} />;
      })}
      {names.roots.length > 0 && <p className="text-xs text-faint">{say('input.hint')}</p>}
    </div>
  );
}

/** Where a loop ran the step often: whose data is shown, by number. */
function RunChoice({ executionId, run }: { executionId: string; run: RunOfNode }) {
  const { say, language } = useWords();
  useSameTurn(run);
  const go = (number: number) => { if (number >= 1 && number <= run.count && number !== run.number) chooseRun(executionId, number); };
  return (
    <div role="group" aria-label={say('input.run')} className="flex items-center gap-1 text-xs" data-testid="run-choice">
      <Button look="quiet" className="!px-1" aria-label={say('input.runBefore')} disabled={run.number === 1} icon={<ChevronLeft size={14} aria-hidden />} onClick={() => go(run.number - 1)} />
      <Input key={run.key} aria-label={say('input.run')} type="number" min={1} max={run.count} className="!w-20 !py-1 !text-xs" defaultValue={run.number} onBlur={(event) => go(event.target.valueAsNumber)} onKeyDown={(event) => event.key === 'Enter' && go(event.currentTarget.valueAsNumber)} />
      <span className="whitespace-nowrap text-soft">{say('input.runOf', { count: run.count.toLocaleString(language) })}</span>
      <Button look="quiet" className="!px-1" aria-label={say('input.runAfter')} disabled={run.number === run.count} icon={<ChevronRight size={14} aria-hidden />} onClick={() => go(run.number + 1)} />
      <span className="ml-auto"><Status small status={run.status} label={worded(say, `status.${run.status}`, run.status)} /></span>
    </div>
  );
}
