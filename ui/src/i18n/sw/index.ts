/** Every word of the editor, in Swahili. */
import type { Key } from '../en';
import { canvas } from './canvas';
import { editor } from './editor';
import { execution } from './execution';
import { pages } from './pages';
import { shell } from './shell';
import { access } from './access';
import { home } from './home';
import { insights } from './insights';
import { settings } from './settings';
import { panel } from './panel';
import { flow } from './flow';
import { entry } from './entry';
import { runs } from './runs';
import { approvals } from './approvals';
import { alerts } from './alerts';
import { imports } from './imports';
import { workspaces } from './workspaces';
import { behaviour } from './behaviour';

export const sw: Record<Key, string> = { ...shell, ...alerts, ...imports, ...workspaces, ...approvals, ...runs, ...entry, ...settings, ...insights, ...home, ...access, ...pages, ...execution, ...editor, ...canvas, ...flow, ...panel, ...behaviour };
