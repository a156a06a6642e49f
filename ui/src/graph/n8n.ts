/** What n8n copies, as a spec of ours: node types by their aliases, lines by their outputs, expressions in our words. */
import { freshId, type ShapeOf, type Spec, type SpecEdge, type SpecNode, type SpecNote } from './spec';

type Tree = Record<string, unknown>;
interface Theirs {
  name: string;
  type: string;
  parameters?: Tree;
  position?: [number, number];
  disabled?: boolean;
  notes?: string;
  retryOnFail?: boolean;
  maxTries?: number;
  onError?: string;
  continueOnFail?: boolean;
}
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
const STICKY = 'n8n-nodes-base.stickyNote';
const TRIGGERS = /trigger$|\.(webhook|start|cron|interval)$/i;
/** Outputs by their number, where there are several. */
const OUTPUTS: Record<string, string[]> = { if: ['true', 'false'], filter: ['out'], splitInBatches: ['done', 'body'] };

export function isN8n(found: object): boolean {
  const { nodes, connections } = found as { nodes?: unknown; connections?: unknown };
  return Array.isArray(nodes) && isTree(connections) && nodes.every((each) => isTree(each) && typeof each.type === 'string' && typeof each.name === 'string');
}

/** An expression of n8n in our words: `={{ $('A').item.json.x }}` is `{{ $node['A'].json.x }}`. */
function words(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(words);
  if (isTree(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, words(each)]));
  if (typeof value !== 'string' || !value.startsWith('=')) return value;
  return value.slice(1).replace(/\$\(\s*(["'])(.*?)\1\s*\)\.(item|first\(\)|last\(\)|all\(\)\[0\])\.json/g, "$node['$2'].json").replace(/\$input\.(item|first\(\))\.json/g, '$json');
}

const listed = (value: unknown, key: string): Tree[] => {
  const found = isTree(value) ? value[key] : undefined;
  return Array.isArray(found) ? found.filter(isTree) : [];
};
const pairs = (list: Tree[]): Tree => Object.fromEntries(list.map((each) => [String(each.name), each.value]));
const compared = (each: Tree): Tree => ({ left: each.leftValue, operator: isTree(each.operator) ? WORDS[String(each.operator.operation)] ?? each.operator.operation : 'equals', value: each.rightValue });
const WORDS: Record<string, string> = {
  notEquals: 'not_equals', gt: 'greater_than', gte: 'greater_or_equal', lt: 'less_than', lte: 'less_or_equal', larger: 'greater_than', smaller: 'less_than', notContains: 'not_contains', startsWith: 'starts_with', endsWith: 'ends_with',
  true: 'is_true', false: 'is_false', empty: 'is_empty', notEmpty: 'is_not_empty', exists: 'exists', notExists: 'not_exists',
};

const CONFIGS: Record<string, (given: Tree) => Tree> = {
  if: (given) => (isTree(given.conditions) && Array.isArray(given.conditions.conditions) ? { conditions: listed(given.conditions, 'conditions').map(compared), combine: given.conditions.combinator ?? 'and' } : given),
  filter: (given) => CONFIGS.if!(given),
  switch: (given) => ({ rules: (listed(given.rules, 'values').length ? listed(given.rules, 'values') : listed(given.rules, 'rules')).map((each, index) => ({ ...(listed(each.conditions, 'conditions').map(compared)[0] ?? {}), output: String(each.outputKey ?? index) })) }),
  set: (given) => ({ values: pairs([...listed(given.assignments, 'assignments'), ...listed(given.values, 'string'), ...listed(given.values, 'number'), ...listed(given.values, 'boolean')]), ...(given.includeOtherFields ? { include_input: true } : {}) }),
  httpRequest: (given) => ({
    method: given.method ?? given.requestMethod ?? 'GET', url: given.url ?? '',
    ...(given.sendHeaders || given.headerParameters ? { headers: pairs(listed(given.headerParameters, 'parameters')) } : {}),
    ...(given.sendQuery || given.queryParameters ? { query: pairs(listed(given.queryParameters, 'parameters')) } : {}),
    ...(given.jsonBody !== undefined ? { body: given.jsonBody } : given.sendBody ? { body: pairs(listed(given.bodyParameters, 'parameters')) } : {}),
  }),
  scheduleTrigger: (given) => schedule(listed(given.rule, 'interval')[0] ?? {}),
  wait: ({ amount, unit }) => ({ duration: amount ?? 1, unit: unit ?? 's' }),
  respondToWebhook: ({ responseBody }) => (responseBody === undefined ? {} : { body: responseBody }),
};
const SECONDS: Record<string, number> = { seconds: 1, minutes: 60, hours: 3_600, days: 86_400, weeks: 604_800 };
function schedule(rule: Tree): Tree {
  if (rule.field === 'cronExpression') return { cron: rule.expression };
  const field = String(rule.field ?? 'days');
  return { interval_s: Number(rule[`${field}Interval`] ?? 1) * (SECONDS[field] ?? 86_400) };
}

/** Read what n8n copied. A type that LinkFlow does not know keeps its name; `unknown` says what else could not be kept. */
export function fromN8n(found: object, shapeOf: ShapeOf): { spec: Spec; unknown: string[] } {
  const { nodes, connections } = found as { nodes: Theirs[]; connections: Record<string, { main?: ({ node: string }[] | null)[] }> };
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  const notes: SpecNote[] = [];
  const steps: SpecNode[] = [];
  const unknown = new Set<string>();
  for (const each of nodes) {
    const [x, y] = each.position ?? [0, 0];
    const given = (words(each.parameters ?? {}) ?? {}) as Tree;
    if (each.type === STICKY) {
      notes.push({ id: `note_${notes.length + 1}`, text: String(given.content ?? ''), position: { x, y }, size: { width: Number(given.width ?? 240), height: Number(given.height ?? 160) } });
      continue;
    }
    const kind = each.type.split('.').pop()!;
    const id = freshId(shapeOf(each.type)?.type ?? kind, taken);
    taken.add(id);
    ids.set(each.name, id);
    if (kind === 'code' && given.jsCode !== undefined) unknown.add('JavaScript');
    const config = CONFIGS[kind]?.(given) ?? Object.fromEntries(Object.entries(given).filter(([name]) => name !== 'options'));
    steps.push({
      id, type: each.type, label: each.name, config, position: { x, y },
      ...(each.disabled ? { disabled: true } : {}), ...(each.notes ? { notes: each.notes } : {}), ...(each.retryOnFail ? { retry: { maxAttempts: each.maxTries ?? 3 } } : {}),
      ...(each.continueOnFail || each.onError?.startsWith('continue') ? { onError: 'continue' } : {}),
    });
  }
  const types = new Map(steps.map((each) => [each.id, each.type.split('.').pop()!]));
  const edges: SpecEdge[] = [];
  for (const [name, { main = [] }] of Object.entries(connections)) {
    const source = ids.get(name);
    if (!source) continue;
    main.forEach((ends, index) => {
      for (const { node } of ends ?? []) {
        const target = ids.get(node);
        const handles = OUTPUTS[types.get(source)!];
        const handle = handles?.[index] ?? (types.get(source) === 'switch' ? outputOf(steps.find((each) => each.id === source)!, index) : undefined);
        if (target) edges.push({ source, target, ...(handle ? { sourceHandle: handle } : {}) });
      }
    });
  }
  const trigger = steps.find((each) => TRIGGERS.test(each.type)) ?? steps[0] ?? { id: '', type: '' };
  return { spec: { trigger, nodes: steps.filter((each) => each !== trigger), edges, canvas: { notes } }, unknown: [...unknown] };
}

function outputOf({ config }: SpecNode, index: number): string {
  const rules = config?.rules;
  return (Array.isArray(rules) && (rules[index] as { output?: string } | undefined)?.output) || 'default';
}
