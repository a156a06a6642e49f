import { expect, it } from 'vitest';
import { fieldsOf, shownBefore } from './form';

const [url, lookUp, conditions] = fieldsOf({
  properties: {
    url: { type: 'string' },
    look_up: { anyOf: [{ type: 'string' }, { type: 'object', properties: { url: { type: 'string' }, found: { type: 'string', 'x-own': true } } }] },
    conditions: { type: 'array', 'x-own': true },
  },
});

it('shows beforehand what a step does not evaluate itself', () => {
  expect(shownBefore(url!, '{{ input.url }}')).toBe('{{ input.url }}');
  expect(shownBefore(lookUp!, { url: '{{ input.url }}', found: '{{ response.body }}' })).toEqual({ url: '{{ input.url }}' });
  expect(shownBefore(lookUp!, '{{ input.url }}')).toBe('{{ input.url }}');
});

it('shows nothing beforehand of what is asked for each item', () => {
  expect(shownBefore(conditions!, [{ field: 'age', value: '{{ item.limit }}' }])).toBeUndefined();
});
