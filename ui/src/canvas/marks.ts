/** What is wrong with which card, shown as a sign on it. */
import { create } from 'zustand';

export interface Mark {
  isError: boolean;
  message: string;
}
export const useMarks = create<{ byNode: Record<string, Mark> }>()(() => ({ byNode: {} }));
