/** Fields of a form, read from the JSON Schema of a node type's parameters. */

export interface FormField {
  name: string;
  /** Other spellings under which a spec may hold it. */
  aliases: string[];
  kind: 'text' | 'long' | 'number' | 'switch' | 'choice' | 'credential' | 'json';
  choices: string[];
  about: string;
  isRequired: boolean;
  /** Shown at once; the others wait under "more". */
  isFirst: boolean;
  initial: unknown;
  /** Whether the step evaluates it itself, with more in sight than there is before; or which members of it. */
  isOwn: boolean;
  own: string[];
}
interface Schema {
  type?: string | string[];
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  description?: string;
  default?: unknown;
  ['x-same-as']?: string;
  ['x-own']?: boolean;
}
const LONG = new Set(['code', 'body', 'message', 'text', 'template', 'prompt', 'description', 'expression', 'script', 'source']);

function kindOf(name: string, schema: Schema): FormField['kind'] {
  if (schema.enum) return 'choice';
  if (name === 'credential') return 'credential';
  const kinds = new Set((schema.anyOf?.map((each) => each.type) ?? [schema.type]).flat().filter((each) => each && each !== 'null'));
  if (kinds.has('object') || kinds.has('array') || kinds.size === 0) return 'json';
  if (kinds.has('string')) return LONG.has(name) ? 'long' : 'text';
  if (kinds.has('number') || kinds.has('integer')) return 'number';
  return kinds.has('boolean') ? 'switch' : 'json';
}

function ownOf(schema: Schema): string[] {
  const shapes = [schema, ...(schema.anyOf ?? [])];
  return shapes.flatMap((each) => Object.entries(each.properties ?? {})).filter(([, each]) => each['x-own']).map(([name]) => name);
}

/** List the fields, those that matter most first. */
export function fieldsOf(parameters: unknown, config: Record<string, unknown> = {}, example: unknown = null): FormField[] {
  const { properties = {}, required = [] } = parameters as Schema;
  const aliases: Record<string, string[]> = {};
  for (const [name, schema] of Object.entries(properties)) {
    const meant = schema['x-same-as'];
    if (meant) (aliases[meant] ??= []).push(name);
  }
  const shown = typeof example === 'object' && example !== null ? new Set(Object.keys(example)) : new Set<string>();
  const found = Object.entries(properties).filter(([, schema]) => !schema['x-same-as']).map(([name, schema]) => {
    const others = aliases[name] ?? [];
    const isRequired = required.includes(name);
    const isSaid = name === 'expression'; // the short way to say what others need a list for
    return {
      name, aliases: others, kind: kindOf(name, schema), choices: (schema.enum ?? []).map(String), about: schema.description ?? '', isRequired, initial: schema.default, isOwn: !!schema['x-own'], own: ownOf(schema),
      isFirst: isRequired || isSaid || shown.has(name) || others.some((each) => shown.has(each)) || [name, ...others].some((each) => config[each] !== undefined),
    } satisfies FormField;
  });
  if (!found.some((each) => each.isFirst)) for (const each of found.slice(0, 4)) each.isFirst = true;
  return [...found.filter((each) => each.isFirst), ...found.filter((each) => !each.isFirst)];
}

/** The value of a field, under whichever spelling. */
export function valueOf(field: FormField, config: Record<string, unknown>): unknown {
  for (const name of [field.name, ...field.aliases]) if (config[name] !== undefined) return config[name];
  return undefined;
}

/** The config with a field set; nothing, or an empty text, takes it out. */
export function withValue(field: FormField, config: Record<string, unknown>, value: unknown): Record<string, unknown> {
  const found = { ...config };
  for (const name of field.aliases) delete found[name];
  if (value === undefined || value === '') delete found[field.name];
  else found[field.name] = value;
  return found;
}

/** What of a value can be shown before the step runs; undefined for nothing. */
export function shownBefore(field: FormField, value: unknown): unknown {
  if (field.isOwn) return undefined;
  if (!field.own.length || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !field.own.includes(name)));
}

export function isExpression(value: unknown): boolean {
  return typeof value === 'string' && value.includes('{{');
}
