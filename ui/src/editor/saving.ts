/** Saving: every edit is kept in the browser at once and on the server soon; what is said of it is true. */
import { create } from 'zustand';
import { call, Offline, Problem } from '../api/client';
import { merge, same, type Merged, type Side } from '../graph/merge';
import { toSpec, type Spec } from '../graph/spec';
import { load, replaceSpec, useEditor } from './store';

export type SaveState = 'saved' | 'unsaved' | 'saving' | 'offline' | 'conflict' | 'failed';
interface Saving {
  state: SaveState;
  revision: number;
  /** What the server holds, as this editor knows it. */
  base: Spec | null;
  problem: string;
  conflict: null | { base: Spec; mine: Spec; theirs: Spec; revision: number; merged: Merged };
  /** Tells once: `merged`, `restored`. */
  news: '' | 'merged' | 'restored';
}
const QUIET_MS = 700;
const JOURNAL_MS = 250;
const AGAIN_MS = 3_000;
export const useSaving = create<Saving>()(() => ({ state: 'saved', revision: 0, base: null, problem: '', conflict: null, news: '' }));
const set = useSaving.setState;
const key = (id: string) => `linkflow.journal.${id}`;

let timer = 0;
let journalTimer = 0;
let savedEdit = 0;
let saving: Promise<void> | null = null;
let unsubscribe: (() => void) | null = null;

interface Journal {
  base: Spec;
  revision: number;
  spec: Spec;
}
function journal(): void {
  noJournal();
  const { workflowId } = useEditor.getState();
  const { base, revision } = useSaving.getState();
  if (!base || !workflowId) return;
  try {
    localStorage.setItem(key(workflowId), JSON.stringify({ base, revision, spec: toSpec(useEditor.getState()) } satisfies Journal));
  } catch {
    // The browser keeps no more; the server still gets every edit.
  }
}
function noJournal(): void {
  clearTimeout(journalTimer);
  journalTimer = 0;
}
function kept(id: string): Journal | null {
  try {
    return JSON.parse(localStorage.getItem(key(id)) ?? 'null') as Journal | null;
  } catch {
    return null;
  }
}

/** Open a workflow for editing: as the server has it, with edits that did not reach it. */
export function openDraft(id: string, name: string, spec: Spec, revision: number): () => void {
  load(id, name, spec);
  savedEdit = 0;
  set({ state: 'saved', revision, base: spec, problem: '', conflict: null, news: '' });
  const found = kept(id);
  if (found && !same(found.spec, spec)) {
    take(found.revision === revision ? spec : found.base, found.spec, spec, revision, 'restored');
  } else localStorage.removeItem(key(id));
  unsubscribe = useEditor.subscribe((now, before) => {
    if (now.edit === before.edit) return;
    if (useSaving.getState().state !== 'conflict') set({ state: 'unsaved' });
    journalTimer ||= window.setTimeout(journal, JOURNAL_MS); // however quickly one types, it is written
    soon(QUIET_MS);
  });
  if (useSaving.getState().news) {
    set({ state: useSaving.getState().conflict ? 'conflict' : 'unsaved' });
    soon(0);
  }
  const leave = () => journalIfDirty();
  const back = () => soon(0);
  window.addEventListener('pagehide', leave);
  window.addEventListener('online', back);
  return () => {
    window.removeEventListener('pagehide', leave);
    window.removeEventListener('online', back);
    journalIfDirty();
    clearTimeout(timer);
    void save();
    unsubscribe?.();
  };
}
function journalIfDirty(): void {
  if (useEditor.getState().edit !== savedEdit) journal();
}
function soon(ms: number): void {
  clearTimeout(timer);
  timer = window.setTimeout(() => void save(), ms);
}

/** Take a merge in; where both changed the same thing a person chooses. */
function take(base: Spec, mine: Spec, theirs: Spec, revision: number, news: 'merged' | 'restored'): void {
  const merged = merge(base, mine, theirs);
  if (merged.conflicts.length) {
    set({ state: 'conflict', conflict: { base, mine, theirs, revision, merged } });
    return;
  }
  set({ base: theirs, revision, news });
  replaceSpec(merged.spec);
}

/** Bring the server up to date; answers once it is, or cannot be. */
export async function save(): Promise<void> {
  clearTimeout(timer);
  await saving;
  const { edit, workflowId } = useEditor.getState();
  if (edit === savedEdit || useSaving.getState().conflict || !workflowId) return;
  saving = send(workflowId, edit).finally(() => {
    saving = null;
  });
  await saving;
}

async function send(id: string, edit: number): Promise<void> {
  const spec = toSpec(useEditor.getState());
  const { revision, base } = useSaving.getState();
  set({ state: 'saving' });
  try {
    const answer = await call('PUT /workflows/{workflow_id}/draft', { path: { workflow_id: id }, headers: { 'if-match': `"${revision}"` }, body: { spec } });
    if (useEditor.getState().workflowId !== id) {
      localStorage.removeItem(key(id));
      return;
    }
    savedEdit = edit;
    set({ revision: answer.revision, base: answer.spec as unknown as Spec, problem: '' });
    if (useEditor.getState().edit === edit) {
      noJournal();
      localStorage.removeItem(key(id));
      set({ state: 'saved' });
    } else {
      set({ state: 'unsaved' });
      soon(QUIET_MS);
    }
  } catch (error) {
    if (useEditor.getState().workflowId !== id) return;
    journal();
    if (error instanceof Problem && error.status === 409 && error.facts.theirs && base) {
      const theirs = error.facts.theirs as Spec;
      take(base, toSpec(useEditor.getState()), theirs, Number(error.facts.revision), 'merged');
      return;
    }
    const isAway = error instanceof Offline || (error instanceof Problem && error.status >= 500);
    set({ state: isAway ? 'offline' : 'failed', problem: error instanceof Error ? error.message : String(error) });
    if (isAway) soon(AGAIN_MS);
  }
}

/** Settle a conflict: by path, whose side counts; mine where nothing is said. */
export function settle(choices: Record<string, Side>): void {
  const { conflict } = useSaving.getState();
  if (!conflict) return;
  const { theirs, revision } = conflict;
  const { spec } = merge(conflict.base, conflict.mine, theirs, choices);
  set({ conflict: null, base: theirs, revision, state: 'unsaved' });
  replaceSpec(spec);
  soon(0);
}
