import { Ban, Check, CircleDashed, Clock, LoaderCircle, Minus, Pause, TriangleAlert, X, type LucideIcon } from 'lucide-react';
import { classes } from './classes';

type Tone = 'good' | 'bad' | 'warn' | 'info' | 'plain';
const LOOKS: Record<string, [Tone, LucideIcon]> = {
  completed: ['good', Check], success: ['good', Check],
  failed: ['bad', X], error: ['bad', X], timed_out: ['bad', Clock], timeout: ['bad', Clock],
  running: ['info', LoaderCircle], queued: ['plain', CircleDashed], pending: ['plain', CircleDashed], scheduled: ['plain', CircleDashed],
  waiting: ['warn', Pause], cancelled: ['plain', Ban], skipped: ['plain', Minus], quarantined: ['bad', TriangleAlert],
};
const TONES: Record<Tone, string> = {
  good: 'bg-good-soft text-good', bad: 'bg-bad-soft text-bad', warn: 'bg-warn-soft text-warn', info: 'bg-info-soft text-info', plain: 'bg-sunk text-soft',
};

/** A status by word, colour and sign: never by colour alone. */
export function Status({ status, label, small }: { status: string; label: string; small?: boolean }) {
  const [tone, Icon] = LOOKS[status] ?? ['plain', CircleDashed];
  return (
    <span className={classes('inline-flex items-center gap-1 rounded-full font-medium whitespace-nowrap', small ? 'px-1.5 py-px text-[11px]' : 'px-2 py-0.5 text-xs', TONES[tone])} data-status={status}>
      <Icon size={small ? 11 : 12} className={status === 'running' ? 'spin' : undefined} aria-hidden />
      {label}
    </span>
  );
}
