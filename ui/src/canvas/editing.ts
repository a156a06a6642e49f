/** What may be changed right on the canvas; null where one only looks. */
import { createContext } from 'react';
import type { Key } from '../i18n/en';

export interface Editing {
  patchNote: (id: string, change: { text?: string; colour?: string }) => void;
  removeNote: (id: string) => void;
  patchGroup: (id: string, change: { label?: string; isCollapsed?: boolean }) => void;
  colours: readonly string[];
  /** Why a line cannot be drawn, as a key of words; empty when it can. */
  whyNot: (source: string, handle: string, target: string) => Key | '';
}
export const EditingContext = createContext<Editing | null>(null);
