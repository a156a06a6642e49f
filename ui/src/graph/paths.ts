/** Where in a text an expression stands, what could be written there, and what of it is wrong. */

export interface ScopeField {
  name?: string | null;
  path: string;
  type: string;
  sample?: string | null;
  count?: number | null;
  fields?: ScopeField[] | null;
}
export interface ScopeRoot extends ScopeField {
  kind: string;
  node_id?: string | null;
  label?: string | null;
}
export interface Option {
  /** What is written. */
  text: string;
  /** What it is: a type, a signature. */
  about: string;
  /** An example of its value, or what it does. */
  more: string;
  kind: 'field' | 'root' | 'node' | 'function';
}
export interface Offer {
  from: number;
  options: Option[];
}

/** Whether a place in a text is inside `{{ }}`. */
export function isInside(text: string, at: number): boolean {
  const open = text.lastIndexOf('{{', at - 2);
  return open >= 0 && text[open - 1] !== '\\' && !text.slice(open + 2, at).includes('}}');
}

const PATH = /[A-Za-z_$][\w$]*(?:\??\.[\w$]*|\[(?:\d*|'[^'\]]*'?|"[^"\]]*"?)\]?)*$/;

/** All fields of a scope by the path they are written with. */
function byPath(roots: readonly ScopeRoot[]): Map<string, ScopeField> {
  const found = new Map<string, ScopeField>();
  const take = (field: ScopeField) => {
    found.set(field.path, field);
    field.fields?.forEach(take);
  };
  roots.forEach(take);
  for (const each of roots) {
    if (each.kind !== 'node' || !each.node_id) continue;
    found.set(`node_${each.node_id}`, { ...each, fields: [{ ...each, name: 'output' }] });
    found.set(each.node_id, each);
  }
  return found;
}

/** What a path could be written as here: `input.body` also as `node_ask.output.body`. */
function resolve(known: Map<string, ScopeField>, path: string): ScopeField | undefined {
  const direct = known.get(path);
  if (direct) return direct;
  const cut = Math.max(path.lastIndexOf('.'), path.lastIndexOf('['));
  if (cut <= 0) return undefined;
  const parent = resolve(known, path.slice(0, cut).replace(/\?$/, ''));
  const name = path.slice(cut).replace(/^\.|^\[['"]?|['"]?\]$/g, '');
  const step = path[cut] === '[' && /^\d+$/.test(name) ? '[0]' : name;
  return parent?.fields?.find((each) => each.name === step) ?? (['output', 'json'].includes(step) ? parent : undefined);
}

/** What could stand before the cursor; nothing outside of expressions. */
export function offer(text: string, at: number, isBare: boolean, roots: readonly ScopeRoot[], functions: readonly Option[]): Offer | null {
  if (!isBare && !isInside(text, at)) return null;
  const start = isBare ? 0 : text.lastIndexOf('{{', at - 1) + 2;
  const typed = PATH.exec(text.slice(start, at))?.[0] ?? '';
  const known = byPath(roots);
  const cut = typed.lastIndexOf('.');
  if (cut > 0) {
    const parent = resolve(known, typed.slice(0, cut).replace(/\?$/, ''));
    const isNodes = typed.slice(0, cut) === '$node';
    const fields = isNodes ? roots.filter((each) => each.kind === 'node').map((each) => ({ ...each, name: each.node_id })) : (parent?.fields ?? []);
    return { from: at - (typed.length - cut - 1), options: fields.filter((each) => each.name && !each.name.startsWith('[')).map((each) => asOption(each, each.name!, 'field')) };
  }
  const options = roots.map((each) => asOption(each, each.kind === 'node' ? each.path : each.path, each.kind === 'node' ? 'node' : 'root'));
  const trigger = roots.find((each) => each.kind === 'trigger');
  for (const each of trigger?.fields ?? []) if (each.name && !each.name.startsWith('[')) options.push(asOption(each, each.path, 'field'));
  return { from: at - typed.length, options: [...options, ...functions] };
}

function asOption(field: ScopeField, text: string, kind: Option['kind']): Option {
  const label = 'label' in field && typeof field.label === 'string' ? field.label : '';
  return { text, kind, about: field.count == null ? field.type : `${field.type} · ${field.count}`, more: field.sample ?? label };
}

export interface ExpressionProblem {
  code: string;
  message: string;
  position?: number | null;
  path?: string | null;
  nearest?: string | null;
}

/** Which part of the text an error is about. */
export function markOf(text: string, error: ExpressionProblem): { from: number; to: number } | null {
  if (error.path) {
    const from = text.indexOf(error.path);
    if (from >= 0) return { from, to: from + error.path.length };
  }
  if (typeof error.position === 'number' && text.length) {
    const from = Math.min(Math.max(0, error.position), text.length - 1);
    return { from, to: from + 1 };
  }
  return null;
}

/** The text with the nearest name in the place of the one that is not there. */
export function mended(text: string, error: ExpressionProblem): string | null {
  if (!error.path || !error.nearest || !text.includes(error.path)) return null;
  const cut = error.path.lastIndexOf('.');
  const nearest = cut < 0 ? error.nearest : error.path.slice(0, cut + 1) + error.nearest;
  return text.replace(error.path, nearest);
}

/** What is written where a field is dropped: bare inside an expression, with braces elsewhere. */
export function inserted(text: string, at: number, path: string, isBare: boolean): string {
  return isBare || isInside(text, at) ? path : `{{ ${path} }}`;
}
