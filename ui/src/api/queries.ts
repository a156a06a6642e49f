/** What the server knows, cached: one function for each question. */
import { keepPreviousData, QueryClient, queryOptions, infiniteQueryOptions } from '@tanstack/react-query';
import { call, Problem } from './client';
import type { Routes } from './schema.gen';

const LATEST_MS = 10_000;

export const queries = new QueryClient({
  defaultOptions: { queries: { staleTime: 5_000, retry: (count, error) => (!(error instanceof Problem) || error.status === 0 || error.status >= 500) && count < 2 } },
});

export interface NodeType {
  type: string; version: number; group: string; title: string; summary: string; class: string;
  inputs: string[]; outputs: string[]; dynamic_outputs: boolean; aliases: string[];
  parameters: Record<string, unknown>; output: unknown; example: unknown; timeout_s: number | null; heartbeat_s: number | null; unknown: string; can_look_up: boolean; docs: string;
}
export interface TemplateLine { slug: string; name: string; description: string; tags: string[] }

export const me = queryOptions({ queryKey: ['me'], queryFn: () => call('GET /auth/me') });
/** The workspaces that whoever is signed in belongs to. */
export const workspaces = queryOptions({ queryKey: ['workspaces'], queryFn: async () => (await call('GET /workspaces')).data });

export const nodeTypes = queryOptions({
  queryKey: ['node-types'], staleTime: Infinity,
  queryFn: async () => (await call('GET /nodes')).data as unknown as NodeType[],
});
export const templates = queryOptions({
  queryKey: ['templates'], staleTime: 60_000,
  queryFn: async () => (await call('GET /templates')).data as unknown as TemplateLine[],
});
export const workflowList = (search: string, tag = '') => infiniteQueryOptions({
  queryKey: ['workflows', search, tag], initialPageParam: '', placeholderData: keepPreviousData,
  queryFn: ({ pageParam, signal }) => call('GET /workflows', { query: { search, tag, limit: 50, after: pageParam }, signal }),
  getNextPageParam: (last) => last.next || undefined,
});
export const workflow = (id: string) => queryOptions({
  queryKey: ['workflow', id], queryFn: ({ signal }) => call('GET /workflows/{workflow_id}', { path: { workflow_id: id }, signal }),
});
export const versionList = (id: string) => queryOptions({
  queryKey: ['versions', id], queryFn: async () => (await call('GET /workflows/{workflow_id}/versions', { path: { workflow_id: id } })).data,
});
export const version = (id: string, number: number) => queryOptions({
  queryKey: ['version', id, number], staleTime: Infinity,
  queryFn: () => call('GET /workflows/{workflow_id}/versions/{number}', { path: { workflow_id: id, number } }),
});
export type ExecutionFilter = Pick<Routes['GET /executions']['query'], 'workflow_id' | 'status' | 'q' | 'started_from' | 'started_to'>;
export const executionList = (filter: ExecutionFilter) => infiniteQueryOptions({
  queryKey: ['executions', filter], initialPageParam: '', placeholderData: keepPreviousData,
  queryFn: ({ pageParam, signal }) => call('GET /executions', { query: { ...filter, limit: 100, after: pageParam }, signal }),
  getNextPageParam: (last) => last.next || undefined,
});
/** The newest executions of each of some workflows, by the workflow's id; at most 25 of each, newest first. */
export const latestRuns = (ids: string[]) => queryOptions({
  queryKey: ['executions', 'latest', ids], enabled: ids.length > 0, placeholderData: keepPreviousData, refetchInterval: LATEST_MS,
  queryFn: async ({ signal }) => new Map((await call('GET /executions/latest', { query: { workflow_id: ids, limit: 25 }, signal })).data.map((each) => [each.workflow_id, each.executions])),
});
export const execution = (id: string) => queryOptions({
  queryKey: ['execution', id], queryFn: ({ signal }) => call('GET /executions/{execution_id}', { path: { execution_id: id }, query: { nodes: 'last' }, signal }),
});

export interface Driver {
  kind: string; message: string; key: string; node_id: string; label: string; attempt: number;
  since: string | null; until: string | null; name: string; match: string; can: string[]; data: unknown;
}
export interface Explanation { execution_id: string; status: string; summary: string; version: number; drivers: Driver[]; late: unknown[] }
/** Asked again when the status changes; whoever shows it while an execution runs says how often besides. */
export const explanation = (id: string, status: string) => queryOptions({
  queryKey: ['explain', id, status], placeholderData: keepPreviousData,
  queryFn: async () => (await call('GET /executions/{execution_id}/explain', { path: { execution_id: id } })) as unknown as Explanation,
});
export interface OutputPage { kind: string; count: number; offset: number; output: unknown }
export const output = (id: string, key: string, seq: number) => queryOptions({
  queryKey: ['output', id, key, seq],
  queryFn: async () => (await call('GET /executions/{execution_id}/nodes/{key}/output', { path: { execution_id: id, key }, query: { limit: 200 } })) as unknown as OutputPage,
});
