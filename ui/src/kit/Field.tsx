import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, type TextareaHTMLAttributes } from 'react';
import { classes } from './classes';
import { Prose } from './Prose';

export const BOX = 'w-full rounded-lg border border-line bg-surface px-2.5 py-1.5 text-[13px] text-ink placeholder:text-faint hover:border-line-strong focus:border-accent focus:outline-2 focus:outline-offset-0 focus:outline-accent/40 disabled:opacity-60';

interface Labelled {
  label: string;
  hint?: ReactNode;
  error?: string;
  aside?: ReactNode;
  isRequired?: boolean;
  children: (id: string, described: string | undefined) => ReactNode;
}

/** A label, what it is for, a hint, and what is wrong. */
export function Field({ label, hint, error, aside, isRequired, children }: Labelled) {
  const id = useId();
  const described = error || hint ? `${id}-about` : undefined;
  return (
    <div className="flex flex-col gap-1">
      <div className="flex min-h-6 items-center justify-between gap-2">
        <label htmlFor={id} className="text-[13px] font-medium text-ink">
          {label}
          {isRequired && <span className="text-bad" aria-hidden> *</span>}
        </label>
        {aside}
      </div>
      {children(id, described)}
      {(error || hint) && (
        <div id={described} className={classes('text-xs', error ? 'text-bad' : 'text-faint')}>
          {error || (typeof hint === 'string' ? <Prose text={hint} /> : hint)}
        </div>
      )}
    </div>
  );
}

export function Input({ className, ...rest }: InputHTMLAttributes<HTMLInputElement>) {
  return <input className={classes(BOX, className)} {...rest} />;
}
export function Area({ className, ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return <textarea className={classes(BOX, 'resize-y', className)} {...rest} />;
}
export function Choice({ className, ...rest }: SelectHTMLAttributes<HTMLSelectElement>) {
  return <select className={classes(BOX, 'pr-7', className)} {...rest} />;
}
