import { LoaderCircle } from 'lucide-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { classes } from './classes';

/** The frame of a page: title, what it is about, what can be done, content. */
export function Page({ title, about, actions, children }: { title: string; about?: string; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · LinkFlow`;
  }, [title]);
  return (
    <div className="mx-auto w-full max-w-6xl px-4 py-7 sm:px-6 lg:px-10">
      <div className="mb-5 flex flex-wrap items-end justify-between gap-3">
        <div>
          <h1>{title}</h1>
          {about && <p className="mt-0.5 max-w-2xl text-[13px] text-soft">{about}</p>}
        </div>
        <div className="flex flex-wrap items-center gap-2">{actions}</div>
      </div>
      {children}
    </div>
  );
}

/** Shown where there is nothing yet: what would be here, and how it comes. */
export function Empty({ icon, title, about, children }: { icon: ReactNode; title: string; about: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center rounded-xl border border-dashed border-line-strong bg-surface px-6 py-14 text-center">
      <div className="mb-3 grid size-11 place-items-center rounded-xl bg-accent-soft text-accent-text" aria-hidden>{icon}</div>
      <h2>{title}</h2>
      <p className="mt-1 max-w-md text-[13px] text-soft">{about}</p>
      {children && <div className="mt-5 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}

export function Loading({ label }: { label: string }) {
  return (
    <div role="status" className="flex items-center justify-center gap-2 py-16 text-[13px] text-faint">
      <LoaderCircle size={16} className="spin" aria-hidden /> {label}
    </div>
  );
}

/** A failure with what the server said of it, and where else to look. */
export function Failed({ title, error, again, againLabel, others = [], othersLabel }: { title: string; error: unknown; again?: () => void; againLabel?: string; others?: { name: string; href: string }[]; othersLabel?: string }) {
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div role="alert" className="rounded-xl border border-bad/40 bg-bad-soft px-4 py-3 text-[13px]">
      <p className="font-semibold text-bad">{title}</p>
      <p className="mt-0.5 text-ink">{message}</p>
      {others.length > 0 && <p className="mt-2">{othersLabel} {others.map((each) => <a key={each.href} href={each.href} className="mr-3 font-medium underline">{each.name}</a>)}</p>}
      {again && <button type="button" className="mt-2 font-medium text-bad underline" onClick={again}>{againLabel}</button>}
    </div>
  );
}

const FEW = 3;

/** A table in a frame, which scrolls sideways, by keys too, where the window is narrower than many columns need. */
export function Table({ label, head, children }: { label: string; head: string[]; children: ReactNode }) {
  const frame = useRef<HTMLDivElement>(null);
  const [isWide, setWide] = useState(false);
  useEffect(() => {
    const it = frame.current!;
    const watch = new ResizeObserver(() => setWide(it.scrollWidth > it.clientWidth));
    watch.observe(it);
    watch.observe(it.firstElementChild!);
    return () => watch.disconnect();
  }, []);
  return (
    <div ref={frame} {...(isWide && { tabIndex: 0, role: 'group', 'aria-label': label })} className="overflow-x-auto rounded-xl border border-line bg-surface shadow-[var(--shadow)]">
      <table className={classes('w-full text-left text-[13px]', head.length > FEW && 'max-md:min-w-[40rem]')} aria-label={label}>
        <thead>
          <tr className="border-b border-line text-xs text-faint">
            {head.map((each) => <th key={each} scope="col" className="px-4 py-2.5 font-medium">{each}</th>)}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">{children}</tbody>
      </table>
    </div>
  );
}
