/** What an error is about: which field of the step, which item, what was asked and answered. */

export interface Failure {
  code: string;
  kind: string;
  message: string;
  details: Record<string, unknown>;
}

/** The parameter that an error is about, as far as it can be told. */
export function fieldOf({ code, details }: Pick<Failure, 'code' | 'details'>, config: Record<string, unknown> = {}): string {
  if (typeof details.field === 'string') return details.field.split('.')[0]!;
  const expression = typeof details.expression === 'string' ? details.expression.replace(/…$/, '') : '';
  const holding = (text: string) => Object.entries(config).find(([, value]) => JSON.stringify(value)?.includes(JSON.stringify(text).slice(1, -1)))?.[0] ?? '';
  if (expression) return holding(expression) || (typeof details.path === 'string' ? holding(details.path) : '');
  if (typeof details.path === 'string' && details.path) return details.path.replace(/^\$?\.?(config\.)?/, '').split(/[.[]/)[0]!;
  if (code.startsWith('http.') || code.startsWith('outbound.')) return 'url' in config ? 'url' : '';
  return '';
}

/** The number of the item in the innermost loop, from 1; 0 outside of loops. */
export function itemOf(key: string): number {
  return Number(/#(?:\d+\.)*(\d+)/.exec(key)?.[1] ?? 0);
}

const REQUEST = ['method', 'url', 'address', 'host'];
const RESPONSE = ['status', 'body', 'response', 'headers'];

/** The facts of an error in three parts, each as text; empty parts are left out. */
export function factsOf(details: Record<string, unknown>): { part: 'request' | 'response' | 'details'; text: string }[] {
  const pick = (names: string[]) => names.filter((each) => details[each] !== undefined && details[each] !== null && details[each] !== '').map((each) => line(each, details[each]));
  const known = new Set([...REQUEST, ...RESPONSE]);
  const others = Object.keys(details).filter((each) => !known.has(each));
  return ([['request', pick(REQUEST)], ['response', pick(RESPONSE)], ['details', pick(others)]] as const).filter(([, lines]) => lines.length).map(([part, lines]) => ({ part, text: lines.join('\n') }));
}
const LONGEST = 600;
function line(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `${name}: ${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}`;
}
