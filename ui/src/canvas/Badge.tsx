import { Ban, Check, Clock, LoaderCircle, Minus, Pause, X } from 'lucide-react';
import { useWords, worded } from '../i18n';
import { classes } from '../kit/classes';

const BADGES: Record<string, { icon: typeof Check; look: string }> = {
  success: { icon: Check, look: 'bg-good text-surface' }, error: { icon: X, look: 'bg-bad text-surface' }, failed: { icon: X, look: 'bg-bad text-surface' }, timeout: { icon: Clock, look: 'bg-bad text-surface' },
  running: { icon: LoaderCircle, look: 'bg-info text-surface' }, waiting: { icon: Pause, look: 'bg-warn text-surface' }, skipped: { icon: Minus, look: 'bg-line-strong text-ink' }, cancelled: { icon: Ban, look: 'bg-line-strong text-ink' },
};

/** How a card's run went, as a sign on its corner; paler where that is not what it would say today. */
export function Badge({ status, isStale = false }: { status: string; isStale?: boolean }) {
  const { say } = useWords();
  const found = BADGES[status];
  if (!found) return null;
  return (
    <span role="img" aria-label={worded(say, `status.${status}`, status)} className={classes('absolute -top-2 -right-2 grid size-5 place-items-center rounded-full', found.look, isStale && 'opacity-45')} title={isStale ? say('pane.stale') : undefined} data-stale={isStale || undefined}>
      <found.icon size={12} strokeWidth={3} className={status === 'running' ? 'spin' : undefined} aria-hidden />
    </span>
  );
}
