import { expect, it } from 'vitest';
import { factsOf, fieldOf, itemOf } from './failure';

it('finds the field that an error is about', () => {
  const config = { url: 'http://shop/{{ trigger.id }}', headers: { 'x-key': "{{ vars['k'] }}" } };
  expect(fieldOf({ code: 'expression.unresolved', details: { expression: '{{ trigger.id }}', path: 'trigger.id' } }, config)).toBe('url');
  expect(fieldOf({ code: 'expression.unresolved', details: { expression: "{{ vars['k'] }}" } }, config)).toBe('headers');
  expect(fieldOf({ code: 'http.status', details: { status: 404 } }, config)).toBe('url');
  expect(fieldOf({ code: 'node.config', details: { path: '$.config.items[0]' } }, {})).toBe('items');
  expect(fieldOf({ code: 'node.timeout', details: {} }, config)).toBe('');
});

it('says facts as lines, never as objects', () => {
  expect(factsOf({ status: 404, body: { sorry: true }, url: 'http://x', tries: [1] })).toEqual([
    { part: 'request', text: 'url: http://x' },
    { part: 'response', text: 'status: 404\nbody: {"sorry":true}' },
    { part: 'details', text: 'tries: [1]' },
  ]);
});

it('counts items of the innermost loop', () => {
  expect([itemOf('send'), itemOf('send#3'), itemOf('cell#2.7@3')]).toEqual([0, 3, 7]);
});
