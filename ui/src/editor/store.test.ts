import { beforeEach, describe, expect, it, vi } from 'vitest';
import { setNodeTypes } from '../canvas/shapes';
import { copied, readSteps } from '../graph/clipboard';
import { toSpec, type Spec } from '../graph/spec';

vi.stubGlobal('navigator', { platform: 'Linux' });
const store = await import('./store');
const frames = await import('./frames');
const { isPressed } = await import('./actions/keys');
const { useEditor, undo, redo } = store;
const shapeOf = (type: string) => ({ inputs: type.startsWith('trigger') ? [] : ['in'], outputs: type === 'logic.condition' ? ['true', 'false'] : ['out'], group: '', title: type, type });

const SPEC: Spec = {
  trigger: { id: 'start', type: 'trigger.manual', position: { x: 0, y: 0 } },
  nodes: Array.from({ length: 6 }, (_, index) => ({ id: `n${index}`, type: 'data.set', config: { values: { n: index } }, position: { x: 280 * (index + 1), y: 0 } })),
  edges: Array.from({ length: 6 }, (_, index) => ({ id: `e${index}`, source: index ? `n${index - 1}` : 'start', target: `n${index}` })),
  canvas: { notes: [{ id: 'note', text: 'Hi' }], groups: [{ id: 'group', label: 'Two', nodes: ['n1', 'n2'] }] },
};
/** Numbers that look like chance and are the same each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * sides);
  };
}
const now = () => toSpec(useEditor.getState());

beforeEach(() => {
  setNodeTypes(['trigger.manual', 'data.set', 'logic.condition'].map((type) => ({ ...shapeOf(type), aliases: [], version: 1 })) as never);
  store.load('w', 'Test', SPEC);
});

function act(roll: (sides: number) => number): void {
  const { nodes } = useEditor.getState();
  const any = () => nodes[roll(nodes.length)]!.id;
  const some = () => [any(), any(), any()];
  const deeds: (() => void)[] = [
    () => store.add(['data.set', 'logic.condition'][roll(2)]!, { from: any() }),
    () => { const { edges } = useEditor.getState(); if (edges.length) store.add('data.set', { edge: edges[roll(edges.length)]!.id }); },
    () => { store.choose(some()); store.removeSelected(); },
    () => { store.choose(some()); store.nudge(roll(50) - 25, roll(50)); },
    () => { const id = any(); store.dragging.start(); for (let each = 0; each < 3; each += 1) store.changeNodes([{ type: 'position', id, position: { x: roll(900), y: roll(900) }, dragging: true }]); store.dragging.stop(); },
    () => store.connect(any(), 'out', any()),
    () => store.patchNode(any(), { label: `name ${roll(9)}` }, 'label'),
    () => store.patchNode(any(), { config: { values: { n: roll(99) } } }, 'config'),
    () => store.patchNodes(some(), (spec) => ({ disabled: spec.disabled ? undefined : true })),
    () => { store.choose(some()); const steps = readSteps(copied(useEditor.getState(), true), shapeOf); if (steps) store.paste(steps); },
    () => { store.begin(); store.place(new Map(nodes.map((each) => [each.id, { x: roll(900), y: roll(900) }]))); },
    () => frames.addNote({ x: roll(100), y: roll(100) }),
    () => { const { notes } = useEditor.getState(); if (notes.length) frames.patchNote(notes[roll(notes.length)]!.id, { text: `text ${roll(9)}` }); },
    () => { store.choose(some()); frames.group('Group'); },
    () => { const { groups } = useEditor.getState(); if (groups.length) frames.patchGroup(groups[roll(groups.length)]!.id, { isCollapsed: roll(2) === 0 }); },
    () => { store.choose(some()); frames.ungroup(); },
    () => store.replaceSpec({ ...now(), settings: { timezone: `Etc/GMT+${roll(9)}` } }),
  ];
  deeds[roll(deeds.length)]!();
}

describe('every step back', () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))('leads to the beginning after 50 random acts, and forward again to the end (%i)', (seed) => {
    const first = now();
    const roll = dice(seed * 7_919);
    for (let each = 0; each < 50; each += 1) act(roll);
    const last = now();
    while (useEditor.getState().past.length) undo();
    expect(now()).toEqual(first);
    while (useEditor.getState().future.length) redo();
    expect(now()).toEqual(last);
  });
  it('goes back 200 steps and more', () => {
    const first = now();
    for (let each = 0; each < 300; each += 1) store.add('data.set', {});
    expect(useEditor.getState().nodes).toHaveLength(307);
    for (let each = 0; each < 300; each += 1) undo();
    expect(now()).toEqual(first);
  });
  it('takes a drag as one step, and knows that it is to be saved again at its end', () => {
    const { past, edit } = useEditor.getState();
    store.dragging.start();
    for (let x = 0; x < 9; x += 1) store.changeNodes([{ type: 'position', id: 'n1', position: { x, y: 1 }, dragging: true }]);
    const during = useEditor.getState().edit;
    store.dragging.stop();
    expect([useEditor.getState().past.length - past.length, during > edit, useEditor.getState().edit > during]).toEqual([1, true, true]);
  });
});

describe('a group', () => {
  it('moves its steps when it is dragged', () => {
    const box = useEditor.getState().nodes.filter((each) => ['n1', 'n2'].includes(each.id)).map((each) => each.position.x);
    const { around } = { around: { x: 560 - 22, y: -52 } };
    store.changeNodes([{ type: 'position', id: 'group:group', position: { x: around.x + 10, y: around.y + 5 }, dragging: true }]);
    expect(useEditor.getState().nodes.filter((each) => ['n1', 'n2'].includes(each.id)).map((each) => [each.position.x, each.position.y])).toEqual(box.map((x) => [x + 10, 5]));
  });
  it('is gone with the last of its steps', () => {
    store.choose(['n1', 'n2']);
    store.removeSelected();
    expect(useEditor.getState().groups).toEqual([]);
  });
});

describe('a shortcut', () => {
  const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({ key, code: `Key${key.toUpperCase()}`, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more }) as KeyboardEvent;
  it('is what its text says, whatever Alt and Shift make of the letter', () => {
    expect([isPressed(press('n'), 'N'), isPressed(press('N', { shiftKey: true }), 'N'), isPressed(press('z', { ctrlKey: true }), 'Mod+Z'), isPressed(press('†', { code: 'KeyT', altKey: true, shiftKey: true }), 'Shift+Alt+T'), isPressed(press('?', { shiftKey: true }), '?'), isPressed(press('+', { shiftKey: true }), '+'), isPressed(press('ن', { code: 'KeyN' }), 'N'), isPressed(press('z', { ctrlKey: true, shiftKey: true }), 'Mod+Z')])
      .toEqual([true, false, true, true, true, true, true, false]);
  });
});
