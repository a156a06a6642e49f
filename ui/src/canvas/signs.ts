/** The sign and colour of a node type, by its group. */
import { Bell, Box, Braces, Bug, CalendarClock, Clock, Code2, FileJson, Filter, GitBranch, Globe, Hand, ListOrdered, LogOut, Merge, PenLine, Radio, Repeat, Reply, Sigma, Split, Tags, TriangleAlert, UserCheck, Webhook, Workflow, type LucideIcon } from 'lucide-react';

const SIGNS: Record<string, LucideIcon> = {
  'trigger.manual': Hand, 'trigger.webhook': Webhook, 'trigger.schedule': CalendarClock, 'trigger.event': Radio, 'trigger.error': Bug,
  'http.request': Globe, 'code.python': Code2, 'flow.output': LogOut, 'flow.sub_workflow': Workflow, 'webhook.respond': Reply,
  'logic.condition': GitBranch, 'logic.switch': Split, 'logic.loop': Repeat, 'logic.merge': Merge, 'logic.delay': Clock, 'logic.wait_event': Bell, 'logic.approval': UserCheck, 'logic.throw_error': TriangleAlert,
  'data.set': PenLine, 'data.filter': Filter, 'data.sort': ListOrdered, 'data.aggregate': Sigma, 'data.json': FileJson, 'data.attributes': Tags,
};
const HUES: Record<string, string> = {
  trigger: 'bg-amber-500/15 text-amber-700 dark:text-amber-300', logic: 'bg-violet-500/15 text-violet-700 dark:text-violet-300',
  data: 'bg-sky-500/15 text-sky-700 dark:text-sky-300', http: 'bg-teal-500/15 text-teal-700 dark:text-teal-300', code: 'bg-slate-500/15 text-slate-700 dark:text-slate-300',
  flow: 'bg-rose-500/15 text-rose-700 dark:text-rose-300', webhook: 'bg-emerald-500/15 text-emerald-700 dark:text-emerald-300',
};

export function signOf(type: string): LucideIcon {
  return SIGNS[type] ?? (type.startsWith('data.') ? Braces : Box);
}
export function hueOf(type: string): string {
  return HUES[type.split('.')[0]!] ?? 'bg-slate-500/15 text-slate-700 dark:text-slate-300';
}
