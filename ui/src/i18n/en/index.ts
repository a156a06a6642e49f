/** Every word of the editor, in English, by area; the other languages have the same keys. */
import { canvas } from './canvas';
import { editor } from './editor';
import { execution } from './execution';
import { pages } from './pages';
import { shell } from './shell';

export const en = { ...shell, ...pages, ...execution, ...editor, ...canvas };
export type Key = keyof typeof en;
