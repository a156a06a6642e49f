const DAY_MS = 86_400_000;

/** Making a format costs a hundred times what using it does: one for each language is kept. */
function kept<F>(make: (language: string) => F): (language: string) => F {
  const made = new Map<string, F>();
  return (language) => made.get(language) ?? made.set(language, make(language)).get(language)!;
}
const relative = kept((language) => new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' }));
const full = kept((language) => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }));

/** Say how long ago or ahead an instant is, in the reader's language. */
export function ago(instant: string | null | undefined, language: string, now = Date.now()): string {
  if (!instant) return '–';
  const seconds = (Date.parse(instant) - now) / 1000;
  const format = relative(language);
  const size = Math.abs(seconds);
  if (size < 45) return format.format(Math.round(seconds), 'second');
  if (size < 2700) return format.format(Math.round(seconds / 60), 'minute');
  if (size < 79_200) return format.format(Math.round(seconds / 3600), 'hour');
  return format.format(Math.round(seconds / 86_400), 'day');
}

/** Say an instant in full, in the reader's language and zone. */
export function absolute(instant: string | null | undefined, language: string): string {
  return instant ? full(language).format(Date.parse(instant)) : '';
}

/** Say a duration shortly: 840 ms, 2.4 s, 3 min, 2.1 h, 7 d. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms <= 2 * DAY_MS) return `${Number((ms / 3_600_000).toFixed(1))} h`;
  return `${Number((ms / DAY_MS).toFixed(1))} d`;
}
