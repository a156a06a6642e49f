import { expect, it } from 'vitest';
import { inserted, isInside, markOf, mended, offer, type ScopeRoot } from './paths';

const WHO = { name: 'who', path: 'trigger.who', type: 'object', count: 2, fields: [{ name: 'name', path: 'trigger.who.name', type: 'text', sample: 'Amina' }, { name: 'a b', path: "trigger.who['a b']", type: 'null' }] };
const ROOTS: ScopeRoot[] = [
  { kind: 'trigger', path: 'trigger', type: 'object', count: 1, fields: [WHO] },
  { kind: 'node', node_id: 'ask', label: 'Ask', path: 'node_ask.output', type: 'object', count: 1, fields: [{ name: 'rows', path: 'node_ask.output.rows', type: 'list', count: 3, fields: [{ name: '[0]', path: 'node_ask.output.rows[0]', type: 'object', fields: [{ name: 'id', path: 'node_ask.output.rows[0].id', type: 'number', sample: '1' }] }] }] },
];
const names = (text: string, isBare = false) => offer(text, text.length, isBare, ROOTS, [])?.options.map((each) => each.text);

it('completes only inside of expressions', () => {
  expect(names('Dear trigger.')).toBeUndefined();
  expect(names('{{ x }} trigger.')).toBeUndefined();
  expect(isInside('{{ x }}', 4)).toBe(true);
  expect(isInside('\\{{ x', 5)).toBe(false);
  expect(names('trigger.', true)).toEqual(['who']);
});

it('completes the fields of what is named before, whichever way', () => {
  expect(names('{{ trigger.who.')).toEqual(['name', 'a b']);
  expect(names('{{ node_ask.')).toEqual(['output']);
  expect(names('{{ ask.')).toEqual(['rows']);
  expect(names('{{ ask.rows[2].')).toEqual(['id']);
  expect(names('{{ upper(trigger.who.na')).toEqual(['name', 'a b']);
  expect(names('{{ tri')).toEqual(['trigger', 'node_ask.output', 'trigger.who']);
  expect(offer('{{ trigger.who.na', 17, false, ROOTS, [])?.from).toBe(15);
});

it('marks what an error is about, and mends it by the nearest name', () => {
  const error = { code: 'expression.unresolved', message: '', path: 'trigger.who.nam', nearest: 'name' };
  expect(markOf('Hi {{ trigger.who.nam }}', error)).toEqual({ from: 6, to: 21 });
  expect(mended('Hi {{ trigger.who.nam }}', error)).toBe('Hi {{ trigger.who.name }}');
  expect(mended('{{ tigger }}', { ...error, path: 'tigger', nearest: 'trigger' })).toBe('{{ trigger }}');
  expect(markOf('{{ upper( }}', { code: 'expression.syntax', message: '', position: 10 })).toEqual({ from: 10, to: 11 });
});

it('puts braces around a field where none are', () => {
  expect(inserted('Dear ', 5, 'trigger.who', false)).toBe('{{ trigger.who }}');
  expect(inserted('{{ upper() }}', 9, 'trigger.who', false)).toBe('trigger.who');
  expect(inserted('', 0, 'trigger.who', true)).toBe('trigger.who');
});
