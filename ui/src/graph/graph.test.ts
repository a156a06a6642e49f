import { describe, expect, it } from 'vitest';
import { copied, n8nOf, pasted, readSteps } from './clipboard';
import { align, distribute } from './align';
import { diff } from './diff';
import { found as findAll } from './search';
import { shown } from './shown';
import { beside, graphOrder, stream } from './walk';
import { fieldsOf, shownBefore, valueOf, withValue } from './form';
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
  it('never holds a secret, and says what was left out', () => {
    const doc = toDoc({ trigger: { id: 'start', type: 'trigger.manual' }, nodes: [{ id: 'a', type: 'data.set', config: { auth: { type: 'basic', username: 'ann', password: 'S3CRET' }, headers: [{ name: 'X-Api-Key', value: 'S3CRET' }, { name: 'Accept', value: 'text/plain' }], authorization: 'Bearer S3CRET', token: '{{credential.shop.token}}' } }] }, shapeOf);
    const all = { ...doc, nodes: doc.nodes.map((each) => ({ ...each, selected: true })) };
    expect(copied(all)).not.toContain('S3CRET');
    expect(copied(all)).toContain('{{credential.shop.token}}');
    expect(copied(all)).toContain('text/plain');
    expect(copied(all, true)).toContain('S3CRET');
  });
  it('tells what n8n copied from steps of ours', () => {
    expect(n8nOf('{"nodes": [], "connections": {}}')).not.toBeNull();
    for (const text of [JSON.stringify(SPEC), '', '[]', '{"nodes": [], "connections": []}']) expect(n8nOf(text)).toBeNull();
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
    expect([spec.nodes![0]!.config!.expression, conflicts]).toEqual(['a', [{ path: 'nodes.check.config.expression', base: '1 < 2', mine: 'a', theirs: 'b' }]]);
    expect(merge(SPEC, edited((each) => { each.nodes![0]!.config!.expression = 'a'; }), edited((each) => { each.nodes![0]!.config!.expression = 'b'; }), { 'nodes.check.config.expression': 'theirs' }).spec.nodes![0]!.config!.expression).toBe('b');
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
  it('shows nothing of what the step evaluates itself', () => {
    const [ask] = fieldsOf({ properties: { ask: { anyOf: [{ type: 'string' }, { type: 'object', properties: { url: { type: 'string' }, found: { type: 'string', 'x-own': true } } }] } } });
    expect([shownBefore(ask!, 'x'), shownBefore(ask!, { url: 'x', found: '{{ response.ok }}' })]).toEqual(['x', { url: 'x' }]);
  });
});

describe('notes and groups', () => {
  const CANVAS = { notes: [{ id: 'note', text: '# Hi', position: { x: 1, y: 2 }, size: { width: 200, height: 90 }, colour: 'blue' }], groups: [{ id: 'group', label: 'Both', nodes: ['check', 'yes'], collapsed: true }] };
  const doc = () => toDoc({ ...SPEC, canvas: CANVAS }, shapeOf);
  it('are part of the spec, and change nothing else of it', () => {
    const { canvas, ...rest } = toSpec(doc());
    expect([canvas, rest]).toEqual([CANVAS, toSpec(toDoc(SPEC, shapeOf))]);
  });
  it('draw a collapsed group as one card that takes the lines of its steps', () => {
    const { nodes, edges } = shown(doc(), new Map());
    expect(nodes.filter((each) => !each.hidden).map((each) => each.id)).toEqual(['group:group', 'note:note', 'start']);
    expect(edges.map((each) => [each.source, each.target])).toEqual([['start', 'group:group']]);
  });
  it('give the same objects for the same document', () => {
    const one = doc();
    expect(shown(one, new Map()).nodes.every((each, index) => each === shown(one, new Map()).nodes[index])).toBe(true);
  });
  it('are merged one by one', () => {
    const mine = { ...SPEC, canvas: { ...CANVAS, notes: [{ ...CANVAS.notes[0]!, text: 'mine' }] } };
    const theirs = { ...SPEC, canvas: { ...CANVAS, notes: [...CANVAS.notes, { id: 'note_2', text: 'theirs' }] } };
    const { spec, conflicts } = merge({ ...SPEC, canvas: CANVAS }, mine, theirs);
    expect([spec.canvas!.notes!.map((each) => each.text), conflicts]).toEqual([['mine', 'theirs'], []]);
  });
});

describe('walking', () => {
  const at = (id: string, x: number, y: number) => ({ id, position: { x, y } });
  const nodes = [at('low', 300, 100), at('end', 600, 0), at('start', 0, 0), at('high', 300, -100), at('lone', 0, 300)];
  const edges = [['start', 'low'], ['start', 'high'], ['high', 'end'], ['low', 'end'], ['end', 'start']].map(([source, target]) => ({ source: source!, target: target! }));
  it('goes in the order of the lines, the higher branch first, circles or not', () => {
    expect(graphOrder(nodes, edges.slice(0, 4))).toEqual(['start', 'high', 'low', 'end', 'lone']);
    expect(new Set(graphOrder(nodes, edges))).toEqual(new Set(nodes.map((each) => each.id)));
  });
  it('goes along lines to the sides, and by place up and down', () => {
    expect([beside(nodes, edges, 'end', 'ArrowLeft'), beside(nodes, edges, 'start', 'ArrowRight'), beside(nodes, edges, 'high', 'ArrowDown'), beside(nodes, edges, 'high', 'ArrowUp'), beside(nodes, edges, 'lone', 'ArrowRight')]).toEqual(['high', 'high', 'low', undefined, undefined]);
  });
  it('knows all that follows', () => expect(stream(edges.slice(0, 4), 'high', true)).toEqual(new Set(['high', 'end'])));
});

describe('aligning', () => {
  const cards = [[10, 0], [400, 30], [1000, 60]].map(([x, y], index) => ({ id: `${index}`, position: { x: x!, y: y! } }));
  it('puts cards in one column or row', () => expect([[...align(cards, 'x').values()].map(({ x }) => x), [...align(cards, 'y').values()].map(({ y }) => y)]).toEqual([[10, 10, 10], [0, 0, 0]]));
  it('makes the gaps even and leaves the outermost', () => expect([...distribute(cards, 'x').values()].map(({ x }) => x)).toEqual([10, 505, 1000]));
});

describe('a comparison of two versions', () => {
  const to: Spec = { ...SPEC, settings: { timezone: 'UTC' }, nodes: [{ ...SPEC.nodes![0]!, config: { expression: '2 < 1' }, position: { x: 9, y: 9 } }, { id: 'no', type: 'data.set' }], edges: [{ source: 'start', target: 'check', sourceHandle: 'out' }, { source: 'check', target: 'no', sourceHandle: 'false' }] };
  it('names steps, fields, lines and settings; where a step stands does not count', () => {
    const found = diff(SPEC, to);
    expect(found.steps.map(({ id, change, fields }) => [id, change, fields])).toEqual([
      ['check', 'changed', [{ path: 'config.expression', from: '1 < 2', to: '2 < 1' }]], ['no', 'added', []], ['yes', 'removed', []],
    ]);
    expect(found.edges).toEqual({ 'check false no': 'added', 'check true yes': 'removed' });
    expect(found.rest).toEqual([{ path: 'settings.timezone', from: 'Africa/Nairobi', to: 'UTC' }]);
    expect(found.union.nodes!.map((each) => each.id)).toEqual(['check', 'no', 'yes']);
  });
  it('finds nothing between a spec and itself', () => expect(diff(SPEC, SPEC)).toMatchObject({ steps: [], edges: {}, rest: [] }));
});

describe('finding', () => {
  const list = [{ title: 'Condition', aliases: ['if'] }, { title: 'HTTP request', aliases: ['api'] }, { title: 'Notify', aliases: [], about: 'Send an SMS to somebody.' }, { title: 'Delay', aliases: ['wait'] }];
  const names = (query: string) => findAll(list, query, (each) => each).map((each) => each.title);
  it('knows other names, words of the summary and letters in order', () => expect([names('if')[0], names('sms'), names('htreq'), names('wai'), names('req http'), names('zzz')]).toEqual(['Condition', ['Notify'], ['HTTP request'], ['Delay'], ['HTTP request'], []]));
});
