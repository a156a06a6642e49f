/** What an action is: a value that toolbar, palette, shortcuts and their list all read. */
import type { LucideIcon } from 'lucide-react';
import type { Key } from '../../i18n/en';
import { useEditor } from '../store';

export interface Context {
  say: (key: Key, values?: Record<string, unknown>) => string;
  /** Says something to who cannot see it happen. */
  announce: (text: string) => void;
  run: () => void;
  save: () => void;
  fit: () => void;
  /** Makes everything so many times as large; 0 is as large as it is meant to be. */
  zoom: (factor: number) => void;
  connectTo: (id: string) => void;
  /** Shows a card and puts the focus on it; `withPanel` opens its panel. */
  go: (id: string, withPanel?: boolean) => void;
  /** Opens the panel of a card with its name chosen. */
  rename: (id: string) => void;
  close: () => void;
  /** Where the middle of what is seen is. */
  middle: () => { x: number; y: number };
  show: (what: 'outline' | 'shortcuts' | 'settings') => void;
}
export type Part = 'edit' | 'arrange' | 'view' | 'move';
export interface Action {
  name: string;
  label: Key;
  icon: LucideIcon;
  part: Part;
  /** Its shortcuts, the first of which is shown. */
  keys: readonly string[];
  /** Works only where no other part of the page has the focus: its keys mean something there, too. */
  isOnCanvas?: boolean;
  /** Belongs to the shortcuts, not among the things that one looks for. */
  isOnlyKey?: boolean;
  isEnabled: () => boolean;
  perform: (context: Context) => void | Promise<void>;
}

export const chosen = () => useEditor.getState().nodes.filter((each) => each.selected);
export const hasChosen = (): boolean => chosen().length > 0;
export const hasMany = (): boolean => chosen().length > 1;
export const hasAny = (): boolean => {
  const { nodes, edges, notes, groups } = useEditor.getState();
  return [...nodes, ...edges, ...notes, ...groups].some((each) => each.selected);
};
export const always = (): boolean => true;
/** As people call a step. */
export const nameOf = (id: string): string => useEditor.getState().nodes.find((each) => each.id === id)?.data.spec.label || id;
