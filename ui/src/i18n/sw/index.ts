/** Every word of the editor, in Swahili. */
import type { Key } from '../en';
import { canvas } from './canvas';
import { editor } from './editor';
import { execution } from './execution';
import { pages } from './pages';
import { shell } from './shell';

export const sw: Record<Key, string> = { ...shell, ...pages, ...execution, ...editor, ...canvas };
