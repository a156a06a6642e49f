/** What grows while an execution runs: read page by page, and after that only what is new. */
import { useCallback, useEffect, useRef, useState } from 'react';

interface PageOf<T> {
  data: T[];
  /** The event number to go on after; null at the end. */
  next: number | null;
  /** The instant that the page is of; the next page is asked for the same. */
  version?: number;
}
export interface Growing<T> {
  /** What it is of; another one begins anew. */
  name: string;
  /** It is looked again whenever this changes. */
  seq: number;
  read: (after: number, version: number, signal: AbortSignal) => Promise<PageOf<T>>;
  numberOf: (item: T) => number;
  /** Where items change: a later one of the same key takes the place of the earlier. */
  keyOf?: (item: T) => string;
  /** Whether it reads on to the end by itself; else `more` asks for the next page. */
  isWhole?: boolean;
}
export interface Grown<T> {
  items: readonly T[];
  isRead: boolean;
  error: Error | null;
  more: () => void;
}
const CALM_MS = 1_000;

/** A number that changes at most once a second, so that a busy execution is not read again all the time. */
function useCalm(seq: number): number {
  const [calm, setCalm] = useState(seq);
  useEffect(() => {
    const timer = window.setTimeout(() => setCalm(seq), calm ? CALM_MS : 0);
    return () => clearTimeout(timer);
  }, [seq, calm]);
  return calm;
}

/** Reads one thing that grows, a page at a time. */
class Reader<T> {
  private readonly byKey = new Map<string, T>();
  private readonly stop = new AbortController();
  private after = 0;
  private version = 0;
  private hasMore = true;
  private isBusy = false;
  private isAsked = false;
  /** The event up to which everything was read. */
  private upto = 0;

  constructor(private readonly how: Growing<T>, private readonly tell: (items: T[], error: Error | null) => void) {}

  /** Read what is new up to an event; where pages are left and nobody asked for them, leave them. */
  async look(seq: number, isForMore = false): Promise<void> {
    if (!isForMore && seq <= this.upto) return;
    if (this.isBusy) {
      this.isAsked = true;
      return;
    }
    if (this.hasMore && this.after && !isForMore && !this.how.isWhole) return;
    this.isBusy = true;
    try {
      do {
        this.isAsked = false;
        await this.page();
      } while (this.how.isWhole ? this.hasMore || this.isAsked : this.isAsked && !this.hasMore);
    } catch (error) {
      this.version = 0;
      if (!this.stop.signal.aborted) this.tell([...this.byKey.values()], error as Error);
    } finally {
      this.isBusy = false;
    }
  }
  private async page(): Promise<void> {
    const { read, numberOf, keyOf } = this.how;
    const { data, next, version = 0 } = await read(this.after, this.version, this.stop.signal);
    for (const each of data) {
      this.byKey.set(keyOf ? keyOf(each) : String(this.byKey.size), each);
      this.after = Math.max(this.after, numberOf(each));
    }
    this.hasMore = next !== null;
    this.version = this.hasMore ? version : 0;
    if (!this.hasMore) this.upto = Math.max(this.after, version);
    if (!this.stop.signal.aborted) this.tell([...this.byKey.values()], null);
  }
  end(): void {
    this.stop.abort();
  }
}

const NONE: readonly never[] = [];
/** Read what grows with an execution, as far as it is needed. */
export function useGrowing<T>(how: Growing<T>): Grown<T> {
  const [found, setFound] = useState<{ name: string; items: readonly T[]; error: Error | null } | null>(null);
  const reader = useRef<Reader<T>>(null);
  const now = useRef(how);
  now.current = how;
  const { name } = how;
  useEffect(() => {
    const made = new Reader<T>(now.current, (items, error) => setFound({ name, items, error }));
    reader.current = made;
    void made.look(1);
    return () => made.end();
  }, [name]);
  const calm = useCalm(how.seq);
  useEffect(() => void reader.current?.look(calm), [calm]);
  const more = useCallback(() => void reader.current?.look(0, true), []);
  const shown = found?.name === name ? found : null;
  return { items: shown?.items ?? NONE, isRead: !!shown, error: shown?.error ?? null, more };
}
