/** Rows of the list of executions, as they are kept: pages, newest first. */
import type { InfiniteData } from '@tanstack/react-query';
import type { ExecutionLine, ExecutionPage } from '../api/schema.gen';

export type Pages = InfiniteData<ExecutionPage, string>;

/**
 * Put what the first page says now before what was known: what it has is new or changed, what it has no more
 * is gone, and what is older than its last row stays as it was.
 */
export function joined(known: Pages, first: ExecutionPage): Pages {
  if (!first.next) return { pages: [first], pageParams: [''] };
  const fresh = new Set(first.data.map((each) => each.id));
  const last = first.data.at(-1)!;
  const isOlder = (each: ExecutionLine) => !fresh.has(each.id) && each.started_at <= last.started_at;
  const [head, ...rest] = known.pages.map((page) => ({ ...page, data: page.data.filter(isOlder) }));
  if (!head) return { pages: [first], pageParams: [''] };
  return { ...known, pages: [{ ...head, data: [...first.data, ...head.data], next: rest.length || head.data.length ? head.next : first.next }, ...rest] };
}
