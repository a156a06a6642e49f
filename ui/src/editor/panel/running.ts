/** Running a part of the draft, and pinning what steps say. */
import { toast } from 'sonner';
import { call } from '../../api/client';
import { queries } from '../../api/queries';
import { useRuns } from '../../canvas/runs';
import { save, useSaving } from '../saving';
import { patchNode } from '../store';

export type Part = 'node' | 'to' | 'from';

/** Save, then run one step, all up to it, or all from it on, with the data of an execution; answers its id. */
export async function runPart(workflowId: string, nodeId: string, part: Part, executionId: string): Promise<string | null> {
  try {
    await save();
    const { state, problem } = useSaving.getState();
    if (state !== 'saved') throw new Error(problem || state);
    const body = { from_node: part === 'to' ? '' : nodeId, to_node: part === 'from' ? '' : nodeId, execution_id: executionId };
    const made = await call('POST /workflows/{workflow_id}/test-run', { path: { workflow_id: workflowId }, body });
    void queries.invalidateQueries({ queryKey: ['executions', 'last', workflowId] });
    return made.execution_id;
  } catch (error) {
    toast.error(error instanceof Error ? error.message : String(error));
    return null;
  }
}

/** Pin what a step of the run that is shown said, or what was written by hand. */
export async function pin(workflowId: string, nodeId: string, what: { output: unknown } | { execution_id: string; key: string }): Promise<void> {
  const found = await call('POST /workflows/{workflow_id}/pins', { path: { workflow_id: workflowId }, body: what });
  const before = 'output' in what ? (useRuns.getState().seen.byNode[nodeId] as { handles?: string[] } | undefined)?.handles : undefined;
  patchNode(nodeId, { pinned: { ...found, ...(before?.length ? { handles: before } : {}) } }, 'pinned');
}
export const unpin = (nodeId: string): void => patchNode(nodeId, { pinned: undefined }, 'pinned');
