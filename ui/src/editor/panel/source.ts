/** With whose data a step is looked at: the run that is shown, else the last one; and where fields are put. */
import { useQuery } from '@tanstack/react-query';
import { createContext, useContext, useEffect } from 'react';
import { create } from 'zustand';
import { executed, functions, lastRuns, scope } from '../../api/data';
import type { RunOfNode } from '../../api/schema.gen';
import { useMarks } from '../../canvas/marks';
import { isOver, useRuns } from '../../canvas/runs';
import type { Option, ScopeRoot } from '../../graph/paths';
import { toSpec, type Spec } from '../../graph/spec';
import { staleNodes } from '../../graph/stale';
import { useSaving } from '../saving';
import { useEditor } from '../store';

/** The step whose parameters are shown. */
export const NodeContext = createContext('');

/** The field that a chosen name of data is written into: the one that had the focus last. */
export interface Target {
  put: (path: string) => void;
}
export const useTarget = create<{ target: Target | null }>()(() => ({ target: null }));

/** Which run of a step counts, where a loop ran it often: chosen for an execution, by number, or by the turns that led there. */
export const useChosenRun = create<{ executionId: string; run: string; turns: string }>()(() => ({ executionId: '', run: '', turns: '' }));
export const chooseRun = (executionId: string, number: number): void => useChosenRun.setState({ executionId, run: String(number), turns: '' });
/** `#2.7` of `greet#2.7@3`. */
const turnsOf = (key: string): string => /#[\d.]+/.exec(key)?.[0] ?? '';

/** Where a dragged field of data is kept. */
export const PATH_TYPE = 'application/x-linkflow-path';

/** Id of the execution whose data is used, which run of the step in it, and what changes when its data does. */
export function useSource(): { workflowId: string; executionId: string; version: string; run: string } {
  const nodeId = useContext(NodeContext);
  const workflowId = useEditor((state) => state.workflowId);
  const shown = useRuns((state) => state.executionId);
  const seq = useRuns((state) => (state.executionId && isOver(state.seen.status) ? state.seen.seq : state.executionId ? -1 : 0));
  const revision = useSaving((state) => state.revision);
  const runs = useQuery({ ...lastRuns(workflowId, shown), enabled: !shown && workflowId !== '' });
  const executionId = shown || runs.data?.[0]?.id || '';
  const run = useChosenRun((state) => (state.executionId !== executionId ? '' : state.turns ? nodeId + state.turns : state.run));
  return { workflowId, executionId, version: `${revision}:${seq}`, run };
}

/** Whether the server knows of a step: it does once the draft with it is saved. */
export function useIsKnown(nodeId: string): boolean {
  return useSaving(({ base }) => base?.trigger.id === nodeId || !!base?.nodes?.some((each) => each.id === nodeId));
}

const NO_ROOTS: ScopeRoot[] = [];
const NO_OPTIONS: Option[] = [];

/** What the expressions of the step can name, and the functions they can call. */
export function useNames(): { roots: ScopeRoot[]; options: Option[]; isWaiting: boolean; problem: Error | null; run: RunOfNode | null } {
  const nodeId = useContext(NodeContext);
  const { workflowId, executionId, version, run } = useSource();
  const isKnown = useIsKnown(nodeId);
  const found = useQuery({ ...scope(workflowId, nodeId, executionId, version, run), enabled: isKnown && workflowId !== '' });
  const called = useQuery({ ...functions, select: asOptions });
  return { roots: (found.data?.data as ScopeRoot[] | undefined) ?? NO_ROOTS, options: called.data ?? NO_OPTIONS, isWaiting: found.isPending, problem: found.error, run: found.data?.run ?? null };
}
function asOptions(list: { name: string; signature: string; about: string }[]): Option[] {
  return list.map((each) => ({ text: each.name, about: each.signature, more: each.about, kind: 'function' }));
}

/** Once a run is chosen by number, its turns count: the same turn is shown of the other steps in the loop. */
export function useSameTurn(run: RunOfNode | null): void {
  useEffect(() => {
    const state = useChosenRun.getState();
    if (run && state.run === String(run.number) && !state.turns) useChosenRun.setState({ turns: turnsOf(run.key) });
  }, [run]);
}

/** Keep the marks of stale outputs true while a run is shown and the workflow is edited. */
export function useStaleMarks(): void {
  const executionId = useRuns((state) => state.executionId);
  const isOpen = useEditor((state) => state.nodes.length > 0);
  const ran = useQuery({ ...executed(executionId), enabled: executionId !== '' });
  useEffect(() => {
    if (!isOpen) return; // the draft may come after the run
    const spec = ran.data?.spec as Spec | undefined;
    const look = () => useMarks.setState({ stale: executionId && spec ? staleNodes(spec, toSpec(useEditor.getState())) : new Set() });
    look();
    let timer = 0;
    const end = useEditor.subscribe((now, before) => {
      if (now.edit === before.edit) return;
      clearTimeout(timer);
      timer = window.setTimeout(look, 150);
    });
    return () => {
      clearTimeout(timer);
      end();
      useMarks.setState({ stale: new Set() });
    };
  }, [executionId, ran.data, isOpen]);
}
