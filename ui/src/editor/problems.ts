/** What /validate says of the graph, as one types. */
import { create } from 'zustand';
import { call } from '../api/client';
import { useMarks, type Mark } from '../canvas/marks';
import { toSpec } from '../graph/spec';
import { useEditor } from './store';

export interface Found {
  code: string;
  message: string;
  severity: 'error' | 'warning';
  path: string;
  nodeId?: string | null;
  edgeId?: string | null;
}
export const useProblems = create<{ list: Found[] }>()(() => ({ list: [] }));
const QUIET_MS = 400;
let timer = 0;
let asked = 0;

async function look(): Promise<void> {
  const turn = (asked += 1);
  const answer = (await call('POST /workflows/validate', { body: toSpec(useEditor.getState()) })) as unknown as { errors: Found[]; warnings: Found[] };
  if (turn !== asked) return;
  const list = [...answer.errors.map((each) => ({ ...each, severity: 'error' as const })), ...answer.warnings.map((each) => ({ ...each, severity: 'warning' as const }))];
  const byNode: Record<string, Mark> = {};
  for (const each of list) if (each.nodeId && !byNode[each.nodeId]) byNode[each.nodeId] = { isError: each.severity === 'error', message: each.message };
  useProblems.setState({ list });
  useMarks.setState({ byNode });
}

/** Look now and after every edit, until the function that is returned is called. */
export function watchProblems(): () => void {
  const soon = (ms: number) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void look().catch(() => undefined), ms);
  };
  soon(0);
  const end = useEditor.subscribe((now, before) => {
    if (now.edit !== before.edit) soon(QUIET_MS);
  });
  return () => {
    end();
    clearTimeout(timer);
    asked += 1;
    useProblems.setState({ list: [] });
    useMarks.setState({ byNode: {} });
  };
}
