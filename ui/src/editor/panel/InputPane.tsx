import { useNavigate } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { toast } from 'sonner';
import { lastRuns } from '../../api/data';
import { DataTree } from '../../canvas/DataTree';
import { useRuns } from '../../canvas/runs';
import { useWords, worded } from '../../i18n';
import { Choice } from '../../kit/Field';
import { Failed, Loading } from '../../kit/Page';
import { ago } from '../../kit/time';
import { PATH_TYPE, useNames, useSource, useTarget } from './source';

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
