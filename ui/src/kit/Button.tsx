import { LoaderCircle } from 'lucide-react';
import type { ButtonHTMLAttributes, ReactNode } from 'react';
import { classes } from './classes';

type Look = 'main' | 'plain' | 'quiet' | 'danger';
const LOOKS: Record<Look, string> = {
  main: 'bg-accent text-accent-ink hover:brightness-110 border-transparent shadow-sm',
  plain: 'bg-surface text-ink border-line hover:border-line-strong hover:bg-sunk shadow-sm',
  quiet: 'bg-transparent text-soft border-transparent hover:bg-sunk hover:text-ink',
  danger: 'bg-surface text-bad border-line hover:bg-bad-soft',
};

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: ReactNode;
  busy?: boolean;
}

/** A button; without text it needs an aria-label. */
export function Button({ look = 'plain', icon, busy, children, className, disabled, ...rest }: Props) {
  return (
    <button
      type="button"
      disabled={disabled || busy}
      className={classes(
        'inline-flex items-center justify-center gap-1.5 rounded-lg border text-[13px] font-medium whitespace-nowrap transition disabled:opacity-50 disabled:pointer-events-none',
        children ? 'h-8 px-3' : 'size-8',
        LOOKS[look],
        className,
      )}
      {...rest}
    >
      {busy ? <LoaderCircle size={15} className="spin" aria-hidden /> : icon}
      {children}
    </button>
  );
}
