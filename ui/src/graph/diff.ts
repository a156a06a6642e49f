/** What changed from one spec to another: which steps, and in each which fields. */
import { same } from './merge';
import type { Spec, SpecEdge, SpecNode } from './spec';

export type Change = 'added' | 'removed' | 'changed';
export interface FieldChange {
  /** Such as `config.url`; empty for the whole. */
  path: string;
  from: unknown;
  to: unknown;
}
export interface StepChange {
  id: string;
  label: string;
  change: Change;
  fields: FieldChange[];
}
export interface Diff {
  steps: StepChange[];
  /** By the ends of an edge, as `edgeKey` says them. */
  edges: Record<string, Exclude<Change, 'changed'>>;
  /** What is about no step: settings, notes, groups, the trigger that counts. */
  rest: FieldChange[];
  /** Both graphs in one: what was removed is still in it. */
  union: Spec;
}
type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** List the leaves that differ, in the order in which they stand. */
export function fieldChanges(from: unknown, to: unknown, path = ''): FieldChange[] {
  if (same(from, to)) return [];
  if (!isTree(from) || !isTree(to)) return [{ path, from, to }];
  const keys = new Set([...Object.keys(from), ...Object.keys(to)]);
  return [...keys].flatMap((key) => fieldChanges(from[key], to[key], path ? `${path}.${key}` : key));
}

const all = (spec: Spec): SpecNode[] => [spec.trigger, ...(spec.nodes ?? []).filter((each) => each.id !== spec.trigger.id)];
const handleOf = (edge: SpecEdge): string => edge.sourceHandle || edge.condition || 'out';
export const edgeKey = (edge: { source: string; target: string; sourceHandle?: string; condition?: string }): string => `${edge.source} ${handleOf(edge)} ${edge.target}`;
/** Edges by their ends; a handle that only one side names is the same edge. */
function ends(edges: readonly SpecEdge[], others: readonly SpecEdge[]): Map<string, SpecEdge> {
  const bare = new Map(others.map((each) => [`${each.source} ${each.target}`, each]));
  return new Map(edges.map((each) => {
    const twin = bare.get(`${each.source} ${each.target}`);
    const isBare = !each.sourceHandle && !each.condition;
    return [edgeKey(isBare && twin ? { ...each, sourceHandle: handleOf(twin) } : each), each];
  }));
}
const without = <T extends Tree>(value: T, ...names: string[]): Tree => Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

/** Compare two specs. Where a step stands is a change of its look only, and does not count. */
export function diff(from: Spec, to: Spec): Diff {
  const before = new Map(all(from).map((each) => [each.id, each]));
  const after = new Map(all(to).map((each) => [each.id, each]));
  const steps: StepChange[] = [];
  for (const [id, node] of after) {
    const old = before.get(id);
    const fields = old ? fieldChanges(without(old, 'position'), without(node, 'position')) : [];
    if (!old || fields.length) steps.push({ id, label: node.label || old?.label || id, change: old ? 'changed' : 'added', fields });
  }
  const gone = [...before.values()].filter((each) => !after.has(each.id));
  for (const each of gone) steps.push({ id: each.id, label: each.label || each.id, change: 'removed', fields: [] });
  const [old, now] = [ends(from.edges ?? [], to.edges ?? []), ends(to.edges ?? [], from.edges ?? [])];
  const edges: Diff['edges'] = {};
  for (const key of now.keys()) if (!old.has(key)) edges[key] = 'added';
  const cut = [...old].filter(([key]) => !now.has(key));
  for (const [key] of cut) edges[key] = 'removed';
  const graph = ['trigger', 'nodes', 'edges'];
  const trigger = from.trigger.id === to.trigger.id ? [] : [{ path: 'trigger', from: from.trigger.id, to: to.trigger.id }];
  return {
    steps, edges, rest: [...trigger, ...fieldChanges(without(from, ...graph), without(to, ...graph))],
    union: { ...to, nodes: [...(to.nodes ?? []), ...gone], edges: [...now.values(), ...cut.map(([, each]) => each)] },
  };
}
