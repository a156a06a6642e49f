import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { classes } from './classes';

interface Props {
  title: string;
  about?: string;
  isOpen: boolean;
  onClose: () => void;
  closeLabel: string;
  isWide?: boolean;
  children: ReactNode;
}

/** A dialog over the page; Escape and a click outside close it. */
export function Dialog({ title, about, isOpen, onClose, closeLabel, isWide, children }: Props) {
  return (
    <Radix.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40 backdrop-blur-[1px]" />
        <Radix.Content
          {...(about ? {} : { 'aria-describedby': undefined })}
          className={classes('fixed top-[12vh] left-1/2 z-50 flex max-h-[78vh] w-[calc(100vw-2rem)] -translate-x-1/2 flex-col rounded-xl border border-line bg-raised shadow-[var(--shadow-high)]', isWide ? 'max-w-3xl' : 'max-w-lg')}
        >
          <div className="flex items-start justify-between gap-4 px-5 pt-4 pb-3">
            <div>
              <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
              {about && <Radix.Description className="mt-0.5 text-[13px] text-soft">{about}</Radix.Description>}
            </div>
            <Radix.Close aria-label={closeLabel} className="-mr-1 rounded-md p-1 text-faint hover:bg-sunk hover:text-ink">
              <X size={16} aria-hidden />
            </Radix.Close>
          </div>
          <div className="overflow-y-auto px-5 pb-5">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
