/** Where bars stand on a timeline: time in which nothing happens takes little room. */

export interface Span {
  from: number;
  to: number;
  /** Whether it only waits: for a time, an event, a person. */
  isWaiting: boolean;
}
export interface Scale {
  /** Share of the width, from 0 to 1, at which an instant stands. */
  at: (instant: number) => number;
  /** Idle times that were shortened: where they stand, how long they are in ms. */
  idle: { from: number; to: number; ms: number }[];
}
/** Idle time shorter than this share of the whole stays as it is. */
const LONG = 0.12;
/** What a shortened idle time takes of the width. */
const SHORT = 0.04;

/** Make the scale of a timeline from `began` to `ended`, in ms since 1970. */
export function scaleOf(spans: readonly Span[], began: number, ended: number): Scale {
  const whole = Math.max(1, ended - began);
  const busy = spans.filter((each) => !each.isWaiting).sort((one, two) => one.from - two.from);
  const gaps: [number, number][] = [];
  let until = began;
  for (const each of [...busy, { from: ended, to: ended }]) {
    if (each.from - until > whole * LONG) gaps.push([until, each.from]);
    until = Math.max(until, each.to);
  }
  const isAllIdle = gaps.reduce((sum, [from, to]) => sum + to - from, 0) >= whole;
  const shortened = isAllIdle ? [] : gaps;
  const rest = Math.max(1, whole - shortened.reduce((sum, [from, to]) => sum + to - from, 0));
  const room = 1 - SHORT * shortened.length;
  const at = (instant: number) => {
    const now = Math.min(ended, Math.max(began, instant));
    let share = 0;
    let past = began;
    for (const [from, to] of shortened) {
      if (now <= from) break;
      share += ((from - past) / rest) * room + SHORT * Math.min(1, (now - from) / (to - from));
      past = to;
      if (now <= to) return share;
    }
    return Math.min(1, share + ((now - past) / rest) * room);
  };
  return { at, idle: shortened.map(([from, to]) => ({ from: at(from), to: at(to), ms: to - from })) };
}
