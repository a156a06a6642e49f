import { expect, it } from 'vitest';
import type { Spec } from './spec';
import { staleNodes } from './stale';

const spec = (n: number, edges = ['start-a', 'a-b', 'start-c'], label = 'A'): Spec => ({
  trigger: { id: 'start', type: 'trigger.manual' },
  nodes: [{ id: 'a', type: 'data.set', label, config: { n } }, { id: 'b', type: 'data.set' }, { id: 'c', type: 'data.set' }],
  edges: edges.map((each) => ({ source: each.split('-')[0]!, target: each.split('-')[1]!, sourceHandle: 'out' })),
});

it('what follows a change is stale, what stands beside it is not', () => {
  expect([...staleNodes(spec(1), spec(2))].sort()).toEqual(['a', 'b']);
  expect([...staleNodes(spec(1), spec(1, ['start-a', 'start-b', 'start-c']))]).toEqual(['b']);
});

it('names, places and pins change no output', () => {
  expect(staleNodes(spec(1), spec(1, undefined, 'Another name')).size).toBe(0);
});
