/** Who is signed in here: tokens, kept for all tabs, renewed by one tab at a time. */
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
/** A tab stays in its workspace when another tab goes elsewhere; a new tab begins where one went last. */
sessionStorage.setItem(PLACE, sessionStorage.getItem(PLACE) ?? localStorage.getItem(PLACE) ?? '');
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
  choose('');
  tell();
}

/** The workspace that was chosen; empty for one's own. */
export function workspace(): string {
  return sessionStorage.getItem(PLACE) ?? '';
}

function choose(id: string): void {
  for (const kept of [sessionStorage, localStorage]) kept.setItem(PLACE, id);
}

/** Go to another workspace: everything that is shown is read again. */
export function enterWorkspace(id: string): void {
  choose(id);
  location.assign('/');
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
