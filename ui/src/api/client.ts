/** One typed call for every route: `call('GET /workflows/{workflow_id}', { path: { workflow_id } })`. */
import { isAct, once } from './once';
import type { Routes } from './schema.gen';
import { accessToken, endSession, workspace } from './session';

type Named<K> = K extends `${string}{${infer P}}${infer Rest}` ? P | Named<Rest> : never;
export type Route = keyof Routes;
export type Answer<K extends Route> = Routes[K]['answer'];
export interface Options<K extends Route> {
  path?: Record<Named<K>, string | number>;
  query?: Routes[K]['query'];
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Another workspace than the one that is shown. */
  workspace?: string;
}

/** An answer that is none of success: what problem+json says. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly facts: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** Nothing came back: the server or the network is away. */
export class Offline extends Problem {
  constructor() {
    super(0, 'offline', 'LinkFlow cannot be reached. Your work is kept in this browser; it goes on by itself.');
  }
}

/** Routes about oneself, which no workspace changes. */
const OWN = /^\/(auth\/(?!me$|tokens)|workspaces|invitations\/\{token\})/;

function baseOf(pattern: string, chosen = workspace()): string {
  const place = OWN.test(pattern) ? '' : chosen;
  return place ? `/api/v1/workspaces/${place}` : '/api/v1';
}

/** Fill in the path and the query of a route; in another workspace than one's own, the path names it. */
export function addressOf(route: string, path: Record<string, string | number> = {}, query: Record<string, unknown> = {}, chosen?: string): string {
  const [, pattern = ''] = route.split(' ');
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined && each !== null && each !== '') found.append(name, String(each));
  }
  const filled = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name] ?? '')));
  const text = found.toString();
  return `${baseOf(pattern, chosen)}${filled}${text ? `?${text}` : ''}`;
}

async function problemOf(answer: Response): Promise<Problem> {
  const facts = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  return new Problem(answer.status, String(facts.code ?? answer.status), String(facts.detail ?? facts.title ?? answer.statusText), facts);
}

/** Whether it may have happened although it failed: nothing came back, the server broke, or is still at it. */
const isUnsure = (error: unknown): boolean => !(error instanceof Problem) || error.status === 0 || error.status >= 500 || error.code === 'idempotency.in_progress';

/** Send a request and read its JSON. A 401 renews the sign-in once. What does something is done once, however often it is sent. */
export async function call<K extends Route>(route: K, options: Options<K> = {}): Promise<Answer<K>> {
  const address = addressOf(route, options.path as Record<string, string>, options.query as Record<string, unknown>, options.workspace);
  if (!isAct(route, !!(options.query as { dry_run?: boolean } | undefined)?.dry_run)) return send(route, address, options);
  const name = `${route} ${address} ${JSON.stringify(options.body ?? null)}`;
  return once(name, (key) => send(route, address, { ...options, headers: { ...options.headers, 'idempotency-key': key } }), isUnsure);
}

async function send<K extends Route>(route: K, address: string, options: Options<K>): Promise<Answer<K>> {
  const method = route.split(' ')[0]!;
  for (const again of [false, true]) {
    const token = await accessToken(again);
    const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
    if (token) headers.authorization = `Bearer ${token}`;
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    const body = options.body === undefined ? undefined : JSON.stringify(options.body);
    const answer = await fetch(address, { method, headers, body, signal: options.signal }).catch((error: unknown) => {
      if (options.signal?.aborted) throw error;
      throw new Offline();
    });
    if (answer.status === 401 && token && !again) continue;
    if (answer.status === 401 && token) endSession();
    if (!answer.ok) throw await problemOf(answer);
    return (answer.status === 204 ? undefined : await answer.json()) as Answer<K>;
  }
  throw new Offline();
}

/** Read what is no JSON to look at, but a file. */
export async function fetchBlob(address: string): Promise<Blob> {
  const token = await accessToken(false);
  const answer = await fetch(`${baseOf(address)}${address}`, { headers: token ? { authorization: `Bearer ${token}` } : {} }).catch(() => {
    throw new Offline();
  });
  if (!answer.ok) throw await problemOf(answer);
  return answer.blob();
}
