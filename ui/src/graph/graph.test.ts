import { describe, expect, it } from 'vitest';
import { copied, pasted, readSteps } from './clipboard';
import { fieldsOf, valueOf, withValue } from './form';
import { tidy } from './layout';
import { fold, NOTHING, type Frame, type NodeRun, type Seen } from './live';
import { merge } from './merge';
import { freshId, outputsOf, toDoc, toSpec, whyNot, type Shape, type Spec } from './spec';

const SHAPES: Record<string, Shape> = {
  'trigger.manual': { inputs: [], outputs: ['out'], group: 'trigger', title: 'Manual' },
  'data.set': { inputs: ['in'], outputs: ['out'], group: 'data', title: 'Set' },
  'logic.condition': { inputs: ['in'], outputs: ['true', 'false'], group: 'logic', title: 'Condition' },
};
const shapeOf = (type: string) => SHAPES[type];
const SPEC: Spec = {
  settings: { timezone: 'Africa/Nairobi' },
  trigger: { id: 'start', type: 'trigger.manual' },
  nodes: [
    { id: 'check', type: 'logic.condition', config: { expression: '1 < 2' }, position: { x: 280, y: 0 } },
    { id: 'yes', type: 'data.set', config: { values: { n: '{{node_check.output}}' } }, position: { x: 560, y: 0 } },
  ],
  edges: [{ id: 'a', source: 'start', target: 'check' }, { id: 'b', source: 'check', target: 'yes', condition: 'true' }],
};

describe('a spec on the canvas', () => {
  it('comes back as it was, its handles named and the rest untouched', () => {
    const back = toSpec(toDoc(SPEC, shapeOf));
    expect(back.settings).toEqual(SPEC.settings);
    expect(back.nodes!.map((each) => each.config)).toEqual(SPEC.nodes!.map((each) => each.config));
    expect(back.edges!.map((each) => each.sourceHandle)).toEqual(['out', 'true']);
    expect(toSpec(toDoc(back, shapeOf))).toEqual(back);
  });
  it('has the handles of its type, of its cases, and those in use', () => {
    expect(outputsOf({ id: 's', type: 'x', config: { cases: [{ output: 'gold' }] }, onError: 'branch' }, { ...SHAPES['data.set']!, outputs: ['default'] }, ['odd'])).toEqual(['default', 'gold', 'error', 'odd']);
  });
  it('refuses circles, a second line, and lines into a trigger, and says why', () => {
    const doc = toDoc(SPEC, shapeOf);
    expect([whyNot(doc, 'yes', 'check', 'out', shapeOf), whyNot(doc, 'start', 'check', 'out', shapeOf), whyNot(doc, 'yes', 'start', 'out', shapeOf), whyNot(doc, 'start', 'yes', 'out', shapeOf)]).toEqual(['cycle', 'twice', 'intoTrigger', '']);
  });
  it('gives new steps ids that are free', () => {
    expect([freshId('data.set', new Set(['set', 'set_2'])), freshId('http.request', new Set())]).toEqual(['set_3', 'request']);
  });
});

describe('the clipboard', () => {
  it('holds readable JSON that pastes under free ids, expressions following', () => {
    const doc = toDoc(SPEC, shapeOf);
    const all = { ...doc, nodes: doc.nodes.map((each) => ({ ...each, selected: true })) };
    const after = pasted(doc, readSteps(copied(all), shapeOf)!);
    expect(after.nodes.map((each) => each.id)).toEqual(['start', 'check', 'yes', 'manual', 'condition', 'set']);
    expect(after.nodes[5]!.data.spec.config).toEqual({ values: { n: '{{node_condition.output}}' } });
    expect(new Set(after.edges.map((each) => each.id)).size).toBe(4);
  });
  it('takes a whole spec, and nothing that is none', () => {
    expect(readSteps(JSON.stringify(SPEC), shapeOf)!.nodes).toHaveLength(3);
    for (const text of ['', 'hello', '[1]', '{"nodes":[{"id":1}]}', 'null']) expect(readSteps(text, shapeOf)).toBeNull();
  });
});

describe('a live run', () => {
  const run = (node_id: string, status: string): NodeRun => ({ node_id, status, type: 't', label: '', attempt: 1 });
  const frames: Frame[] = [
    { t: 'snapshot', topic: 'x', seq: 2, data: { status: 'running', version: 2, nodes: { a: run('a', 'running') } } },
    { t: 'batch', topic: 'x', from: 3, to: 4, ev: [[3, 'node', 'a', run('a', 'success')], [4, 'exec', null, { status: 'running' }]] },
    { t: 'batch', topic: 'x', from: 5, to: 6, ev: [[5, 'node', 'b', run('b', 'success')], [6, 'exec', null, { status: 'completed' }]] },
  ];
  const all = (list: Frame[]) => list.reduce<Seen | 'gap'>((seen, each) => (seen === 'gap' ? seen : fold(seen, each)), NOTHING);
  it('is the same however often frames are repeated', () => {
    expect(all([...frames, frames[1]!, frames[2]!])).toEqual(all(frames));
    expect((all(frames) as Seen).status).toBe('completed');
  });
  it('notices a frame that is missing', () => expect(all([frames[0]!, frames[2]!])).toBe('gap'));
  it('takes of an overlapping frame what is new', () => {
    const overlap: Frame = { t: 'batch', topic: 'x', from: 3, to: 5, ev: [[3, 'node', 'a', run('a', 'stale')], [5, 'node', 'b', run('b', 'success')]] };
    expect((fold(all(frames.slice(0, 2)) as Seen, overlap) as Seen).byNode.a!.status).toBe('success');
  });
});

describe('a merge', () => {
  const edited = (change: (spec: Spec) => void) => {
    const spec = structuredClone(SPEC);
    change(spec);
    return spec;
  };
  it('takes both sides where they touch different things', () => {
    const mine = edited((spec) => { spec.nodes![0]!.label = 'Mine'; });
    const theirs = edited((spec) => { spec.nodes![1]!.label = 'Theirs'; spec.nodes!.push({ id: 'new', type: 'data.set' }); });
    const { spec, conflicts } = merge(SPEC, mine, theirs);
    expect([spec.nodes!.map((each) => each.label), conflicts]).toEqual([['Mine', 'Theirs', undefined], []]);
  });
  it('names what both changed, and keeps mine', () => {
    const { spec, conflicts } = merge(SPEC, edited((each) => { each.nodes![0]!.config!.expression = 'a'; }), edited((each) => { each.nodes![0]!.config!.expression = 'b'; }));
    expect([spec.nodes![0]!.config!.expression, conflicts]).toEqual(['a', ['nodes.check.config.expression']]);
  });
  it('drops lines of a step that somebody deleted', () => {
    const theirs = edited((spec) => { spec.nodes!.pop(); spec.edges!.pop(); });
    expect(merge(SPEC, edited((spec) => { spec.nodes![0]!.label = 'Mine'; }), theirs).spec.edges).toHaveLength(1);
  });
});

describe('tidying', () => {
  it('puts every step to the right of what leads to it, none on another, circles or not', () => {
    const nodes = ['a', 'b', 'c', 'd', 'lone'].map((id) => ({ id, position: { x: 0, y: 0 } }));
    const edges = [['a', 'b'], ['a', 'c'], ['b', 'd'], ['c', 'd'], ['d', 'b']].map(([source, target]) => ({ source: source!, target: target! }));
    const found = tidy(nodes, edges);
    for (const [one, two] of [['a', 'b'], ['a', 'c'], ['b', 'd'], ['c', 'd']]) expect(found.get(one!)!.x).toBeLessThan(found.get(two!)!.x);
    expect(new Set([...found.values()].map(({ x, y }) => `${x},${y}`)).size).toBe(5);
  });
  it('is quick with a thousand steps', () => {
    const nodes = Array.from({ length: 1000 }, (_, index) => ({ id: `n${index}`, position: { x: 0, y: index } }));
    const edges = nodes.slice(1).map((each, index) => ({ source: `n${Math.floor(index / 3)}`, target: each.id }));
    expect(tidy(nodes, edges).size).toBe(1000);
  });
});

describe('a form', () => {
  const schema = { required: ['url'], properties: { method: { type: 'string', enum: ['GET', 'POST'] }, url: { type: 'string' }, uri: { type: 'string', 'x-same-as': 'url' }, body: {}, count: { type: 'integer' }, is_on: { type: 'boolean' } } };
  it('shows what is required or set first, and no other spelling twice', () => {
    expect(fieldsOf(schema, { count: 1 }).map((each) => [each.name, each.kind, each.isFirst])).toEqual([['url', 'text', true], ['count', 'number', true], ['method', 'choice', false], ['body', 'json', false], ['is_on', 'switch', false]]);
  });
  it('reads any spelling and writes the one that is meant', () => {
    const url = fieldsOf(schema).find((each) => each.name === 'url')!;
    expect([valueOf(url, { uri: 'x' }), withValue(url, { uri: 'x', n: 1 }, 'y'), withValue(url, { url: 'x' }, '')]).toEqual(['x', { n: 1, url: 'y' }, {}]);
  });
});
