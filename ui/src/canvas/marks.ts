/** What is wrong with which card, and what changed in it: shown as signs on them. */
import { create } from 'zustand';
import type { Change } from '../graph/diff';

export interface Mark {
  isError: boolean;
  message: string;
}
interface Marks {
  byNode: Record<string, Mark>;
  /** Where two versions are compared. */
  changed: Record<string, Change>;
  /** Whose output is not what they would say today. */
  stale: ReadonlySet<string>;
}
export const useMarks = create<Marks>()(() => ({ byNode: {}, changed: {}, stale: new Set() }));
