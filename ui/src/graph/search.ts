/** Finding by a few letters: beginnings of words first, then parts of them, then letters in order. */
export interface Words {
  title: string;
  /** Other names. */
  aliases?: readonly string[];
  about?: string;
}

function inOne(text: string, query: string): number {
  const words = text.toLowerCase();
  if (words === query) return 1;
  if (words.startsWith(query)) return 0.9;
  const at = words.indexOf(query);
  if (at > 0) return /[\s./_-]/.test(words[at - 1]!) ? 0.8 : 0.6;
  return 0;
}
function inOrder(text: string, query: string): boolean {
  let at = -1;
  for (const letter of query) {
    at = text.indexOf(letter, at + 1);
    if (at < 0) return false;
  }
  return true;
}

/** How well something fits: 0 not at all, 1 exactly. Of several words all have to fit. */
export function fit({ title, aliases = [], about = '' }: Words, query: string): number {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return 1;
  const whole = Math.max(inOne(title, wanted), 0.95 * Math.max(0, ...aliases.map((each) => inOne(each, wanted))));
  if (whole) return whole;
  const parts = wanted.split(/\s+/);
  const of = (part: string) => Math.max(inOne(title, part), 0.9 * Math.max(0, ...aliases.map((each) => inOne(each, part))), 0.4 * inOne(about, part));
  const each = parts.map(of);
  if (each.every((found) => found > 0)) return Math.min(...each) * 0.8;
  return wanted.length > 1 && inOrder(title.toLowerCase().replace(/\s/g, ''), wanted.replace(/\s/g, '')) ? 0.1 : 0;
}

/** What fits, the best first; what fits alike stays in order. */
export function found<T>(list: readonly T[], query: string, words: (each: T) => Words): T[] {
  return list.map((each) => ({ each, score: fit(words(each), query) })).filter(({ score }) => score > 0).sort((one, two) => two.score - one.score).map(({ each }) => each);
}
