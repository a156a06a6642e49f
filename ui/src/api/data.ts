/** What expressions can name and give, and what nodes said: one function for each question. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { call } from './client';
import type { NodeScope, OutputPage, ScopeField } from './schema.gen';

export const scope = (workflowId: string, nodeId: string, executionId: string, version: string, run: string) => queryOptions({
  queryKey: ['scope', workflowId, nodeId, executionId, version, run], staleTime: 30_000, placeholderData: keepPreviousData, retry: false,
  queryFn: ({ signal }): Promise<NodeScope> => call('GET /workflows/{workflow_id}/nodes/{node_id}/scope', { path: { workflow_id: workflowId, node_id: nodeId }, query: { execution_id: executionId, run }, signal }),
});
export const functions = queryOptions({
  queryKey: ['functions'], staleTime: Infinity,
  queryFn: async () => (await call('GET /expressions/functions')).data,
});
export interface Preview { workflowId: string; nodeId: string; executionId: string; version: string; run: string; value: unknown; isBare: boolean }
export const preview = ({ workflowId, nodeId, executionId, version, run, value, isBare }: Preview) => queryOptions({
  queryKey: ['preview', workflowId, nodeId, executionId, version, run, value, isBare], staleTime: 30_000, gcTime: 30_000, placeholderData: keepPreviousData, retry: false,
  queryFn: async ({ signal }) => (await call('POST /expressions/evaluate', { body: { workflow_id: workflowId, node_id: nodeId, execution_id: executionId, run, expressions: [value], are_bare: isBare }, signal })).data[0]!,
});
export const lastRuns = (workflowId: string, version: number | string) => queryOptions({
  queryKey: ['executions', 'last', workflowId, version], placeholderData: keepPreviousData,
  queryFn: async ({ signal }) => (await call('GET /executions', { query: { workflow_id: workflowId, limit: 10 }, signal })).data,
});
/** One run of a node by its key, without its output. */
export const nodeRun = (executionId: string, key: string, version: string) => queryOptions({
  queryKey: ['node-run', executionId, key, version], placeholderData: keepPreviousData, staleTime: 60_000, retry: false,
  queryFn: async ({ signal }) => (await call('GET /executions/{execution_id}/nodes', { path: { execution_id: executionId }, query: { node: key, outputs: false }, signal })).data[0] ?? null,
});
export const executed = (executionId: string) => queryOptions({
  queryKey: ['executed', executionId], staleTime: Infinity, retry: false,
  queryFn: ({ signal }) => call('GET /executions/{execution_id}/spec', { path: { execution_id: executionId }, signal }),
});
export interface PartOf { executionId: string; key: string; seq: number; path: string[]; q: string; offset: number; limit: number }
export const outputPart = ({ executionId, key, seq, path, q, offset, limit }: PartOf) => queryOptions({
  queryKey: ['output', executionId, key, seq, path, q, offset, limit], placeholderData: keepPreviousData, gcTime: 20_000, staleTime: 60_000,
  queryFn: ({ signal }): Promise<OutputPage> => call('GET /executions/{execution_id}/nodes/{key}/output', { path: { execution_id: executionId, key }, query: { path, q, offset, limit }, signal }),
});
export const outputSchema = (executionId: string, key: string, seq: number, path: string[]) => queryOptions({
  queryKey: ['output-schema', executionId, key, seq, path], staleTime: 60_000,
  queryFn: async ({ signal }) => (await call('GET /executions/{execution_id}/nodes/{key}/output', { path: { execution_id: executionId, key }, query: { path, view: 'schema' }, signal })) as unknown as { schema: ScopeField },
});
