/** Who is signed in here, and in which workspace: tokens are kept for all tabs and renewed by one at a time. */
import type { SignedIn, SignedInUser } from './schema.gen';

interface Session {
  access: string;
  refresh: string;
  /** Milliseconds since 1970. */
  until: number;
  user: SignedInUser;
}

const KEY = 'linkflow.session';
const PLACE = 'linkflow.workspace';
const EARLY_MS = 30_000;
const listeners = new Set<() => void>();
let text: string | null | undefined;
let parsed: Session | null = null;

/** The session as it is now; the same object until it changes. */
export function session(): Session | null {
  const now = localStorage.getItem(KEY);
  if (now !== text) {
    text = now;
    parsed = now ? (JSON.parse(now) as Session) : null;
  }
  return parsed;
}

function tell(): void {
  for (const each of listeners) each();
}

/** Call back whenever somebody signs in or out, in any tab. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', listener);
  };
}

export function beginSession(found: SignedIn): void {
  const kept: Session = { access: found.access_token, refresh: found.refresh_token, until: Date.now() + found.expires_in * 1000, user: found.user };
  localStorage.setItem(KEY, JSON.stringify(kept));
  tell();
}

export function endSession(): void {
  localStorage.removeItem(KEY);
  named = false;
  choose('');
  tell();
}

/** The workspace of this page, for as long as it is open: what its address names, else this tab's, else where one was last. */
let place = sessionStorage.getItem(PLACE) ?? localStorage.getItem(PLACE) ?? '';
let named = false;
standAt(location.search);
for (const looked of ['focus', 'pageshow']) window.addEventListener(looked, remember);

/** The workspace of this page; empty for one's own. */
export function workspace(): string {
  return place === session()?.user.workspace_id ? '' : place;
}

/** Whether the address named the workspace, rather than what this browser remembers. */
export function isNamed(): boolean {
  return named;
}

/** A tab stays where it is when it is loaded again; a new one begins where one looked last. */
function remember(): void {
  sessionStorage.setItem(PLACE, place);
  if (!document.hidden) localStorage.setItem(PLACE, place);
}

function choose(id: string): void {
  place = id;
  remember();
}

/** Go by what the search of an address names; one that names no workspace changes nothing. */
export function standAt(search: string): void {
  // It becomes a part of paths, so nothing but what ids are made of gets through.
  const id = new URLSearchParams(search).get('in')?.replace(/[^\w-]/g, '_');
  named = !!id;
  if (id) choose(id);
}

/** The address that is shown, in a workspace. */
export function addressIn(id: string): string {
  const found = new URL(location.href);
  found.searchParams.set('in', id);
  return found.pathname + found.search;
}

/** Go to another workspace, empty for one's own: everything that is shown is read again. */
export function enterWorkspace(id: string): void {
  // Going back must not show what was here as if it were there.
  history.replaceState(history.state, '', addressIn(workspace() || session()!.user.workspace_id));
  choose(id);
  location.assign(workspace() ? `/?in=${id}` : '/');
}

/** A refresh token works once: two tabs must not show the same one. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks ? navigator.locks.request('linkflow.refresh', work) : work();
}

async function renew(stale: string): Promise<string> {
  return alone(async () => {
    const now = session();
    if (!now || now.access !== stale) return now?.access ?? '';
    const answer = await fetch('/api/v1/auth/refresh', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token: now.refresh }),
    }).catch(() => null);
    if (answer?.ok) beginSession((await answer.json()) as SignedIn);
    else if (answer && answer.status < 500 && answer.status !== 429) endSession();
    return session()?.access ?? '';
  });
}

let renewing: Promise<string> | null = null;

/** A token that holds; empty when nobody is signed in. `refused` asks for a new one. */
export async function accessToken(refused = false): Promise<string> {
  const now = session();
  if (!now) return '';
  if (!refused && now.until - EARLY_MS > Date.now()) return now.access;
  renewing ??= renew(now.access).finally(() => {
    renewing = null;
  });
  return renewing;
}
