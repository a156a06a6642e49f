/**
 * What a person asks for happens once, however often it is clicked or sent.
 *
 * An act is a route with its address and body. While it is under way, the same act again is the same act.
 * When nobody knows how it ended (the network or the server went away), asking again carries the same
 * `Idempotency-Key`, and the server answers what it answered before. Once there is an answer, the next one is new.
 */

/** Routes that change nothing: they may be asked at will. */
const READS = new Set(['POST /expressions/evaluate', 'POST /workflows/validate', 'POST /ws/tickets']);
/** Answers with a secret in them are not to be kept by the server, as it keeps those that have a key. */
const SECRET = /^POST \/(auth|oauth|invitations|webhook-subscriptions$)|secret$/;
/** So long the server may have done what was not answered. */
const UNSURE_MS = 10 * 60_000;

interface Act {
  key: string;
  /** Milliseconds since 1970. */
  at: number;
  answer: Promise<unknown> | null;
}
const acts = new Map<string, Act>();

/** Whether a route does something that must not happen twice. */
export const isAct = (route: string, isDry = false): boolean => route.startsWith('POST ') && !isDry && !READS.has(route) && !SECRET.test(route);

function newKey(): string {
  // `randomUUID` is missing where a page came without TLS.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, '0')).join('');
}

/** Do an act with its key; `isUnsure` says of a failure whether it may have happened all the same. */
export async function once<T>(name: string, act: (key: string) => Promise<T>, isUnsure: (error: unknown) => boolean): Promise<T> {
  const before = acts.get(name);
  if (before?.answer) return before.answer as Promise<T>;
  const now = Date.now();
  const key = before && now - before.at < UNSURE_MS ? before.key : newKey();
  const answer = act(key).then(
    (found) => {
      acts.delete(name);
      return found;
    },
    (error: unknown) => {
      if (isUnsure(error)) acts.set(name, { key, at: Date.now(), answer: null });
      else acts.delete(name);
      throw error;
    },
  );
  acts.set(name, { key, at: now, answer });
  return answer;
}
