/** One socket for all topics: it resumes by sequence, and while it is away what is followed is polled. */
import { create } from 'zustand';
import { call } from './client';
import { onSession, session } from './session';

export type LiveState = 'idle' | 'live' | 'reconnecting' | 'polling';
export const useLive = create<{ state: LiveState }>()(() => ({ state: 'idle' }));

interface Anything {
  t: string;
  topic?: string;
}
interface Followed {
  /** What came; answers false when frames are missing. */
  take: (frame: never) => boolean;
  /** The last number seen, to go on after. */
  after?: () => number;
  /** Looks once, where there is no socket. */
  poll?: () => Promise<void>;
}

const POLL_MS = 2_000;
const followed = new Map<string, Followed>();
let socket: WebSocket | null = null;
let isOpening = false;
let tries = 0;
let heartbeat = 0;
let polling = 0;
let retry = 0;

function send(command: object): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(command));
}

function subscribe(topic: string): void {
  const after = followed.get(topic)?.after?.();
  send({ op: 'sub', id: 1, topic, ...(after ? { after } : {}) });
}

function show(state: LiveState): void {
  if (useLive.getState().state !== state) useLive.setState({ state });
}

function hear(text: string): void {
  const frame = JSON.parse(text) as Anything;
  if (frame.t === 'hello') {
    tries = 0;
    show('live');
    clearInterval(polling);
    polling = 0;
    for (const topic of followed.keys()) subscribe(topic);
    return;
  }
  const topic = frame.topic ?? '';
  const found = followed.get(topic);
  if (found && (frame.t === 'snapshot' || frame.t === 'batch' || frame.t === 'end') && !found.take(frame as never)) {
    send({ op: 'resync', id: 2, topic });
  }
}

async function open(): Promise<void> {
  if (socket || isOpening || followed.size === 0 || !session()) return;
  isOpening = true;
  try {
    const { ticket } = (await call('POST /ws/tickets')) as { ticket: string };
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    socket = new WebSocket(`${scheme}://${location.host}/api/v1/ws?ticket=${encodeURIComponent(ticket)}`);
    socket.onmessage = (event) => hear(String(event.data));
    socket.onclose = lost;
    heartbeat = window.setInterval(() => send({ op: 'ping' }), 15_000);
  } catch {
    lost();
  } finally {
    isOpening = false;
  }
}

function lost(): void {
  clearInterval(heartbeat);
  socket = null;
  if (followed.size === 0) {
    show('idle');
    return;
  }
  tries += 1;
  show(tries > 2 ? 'polling' : 'reconnecting');
  clearTimeout(retry);
  retry = window.setTimeout(() => void open(), Math.min(10_000, 200 * 2 ** Math.min(tries, 8)) * (0.5 + Math.random() / 2));
  if (!polling) {
    polling = window.setInterval(() => {
      for (const each of followed.values()) void each.poll?.().catch(() => undefined);
    }, POLL_MS);
  }
}

/** Follow a topic until the function that is returned is called. */
export function follow(topic: string, what: Followed): () => void {
  followed.set(topic, what);
  if (socket?.readyState === WebSocket.OPEN) subscribe(topic);
  else void open();
  return () => {
    if (followed.get(topic) !== what) return;
    followed.delete(topic);
    send({ op: 'unsub', topic });
    if (followed.size === 0) {
      clearInterval(polling);
      polling = 0;
    }
  };
}

onSession(() => {
  if (!session()) socket?.close();
});
