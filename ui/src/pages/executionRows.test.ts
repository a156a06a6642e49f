import { expect, it } from 'vitest';
import type { ExecutionLine, ExecutionPage } from '../api/schema.gen';
import { joined, type Pages } from './executionRows';

const row = (n: number, status = 'completed') => ({ id: `e${n}`, status, started_at: new Date(n * 1000).toISOString() }) as ExecutionLine;
const page = (numbers: number[], next: string | null) => ({ data: numbers.map((n) => row(n)), next }) as ExecutionPage;
const known = (...pages: ExecutionPage[]): Pages => ({ pages, pageParams: pages.map(() => '') });
const ids = (found: Pages) => found.pages.map((each) => each.data.map((line) => line.id));

it('puts what is new before the rest, and keeps what it pushes off the first page', () => {
  const found = joined(known(page([9, 8, 7], 'after7'), page([6, 5], null)), page([11, 10, 9], 'after9'));
  expect(ids(found)).toEqual([['e11', 'e10', 'e9', 'e8', 'e7'], ['e6', 'e5']]);
  expect(found.pages.map((each) => each.next)).toEqual(['after7', null]);
});

it('takes over changes, and drops what fits the filter no more', () => {
  const found = joined(known(page([9, 8, 7], 'after7')), { ...page([9, 7], 'x'), data: [row(9, 'failed'), row(7)] } as ExecutionPage);
  expect(ids(found)).toEqual([['e9', 'e7']]);
  expect(found.pages[0]!.data[0]!.status).toBe('failed');
});

it('is the first page alone when nothing comes after it', () => {
  expect(ids(joined(known(page([3, 2], 'x'), page([1], null)), page([4], null)))).toEqual([['e4']]);
});

it('goes on after the first page when nothing of the old one is left', () => {
  const found = joined(known(page([3], 'after3')), page([9, 8], 'after8'));
  expect(found.pages[0]!.next).toBe('after3');
  expect(joined(known(page([9], 'after9')), page([9, 8], 'after8')).pages[0]!.next).toBe('after8');
});
