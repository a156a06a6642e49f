import { Command } from 'cmdk';
import { Dialog as Radix } from 'radix-ui';
import { useMemo } from 'react';
import { useShapes } from '../canvas/shapes';
import { hueOf, signOf } from '../canvas/signs';
import { useWords } from '../i18n';
import { classes } from '../kit/classes';
import { ACTIONS, keysShown, type Context } from './actions';
import { add, openPalette, useEditor, type PaletteFor } from './store';

const ITEM = 'flex cursor-pointer items-center gap-3 rounded-lg px-2.5 py-2 text-[13px] aria-selected:bg-accent-soft aria-selected:text-accent-text';

/** Steps to add and things to do, found by typing. */
export function Palette({ context, onAdded }: { context: Context; onAdded: (id: string) => void }) {
  const { say } = useWords();
  const wanted = useEditor((state) => state.palette);
  return (
    <Radix.Root open={wanted !== null} onOpenChange={(open) => !open && openPalette(null)}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <Radix.Content aria-describedby={undefined} onCloseAutoFocus={(event) => event.preventDefault()}
          className="fixed top-[14vh] left-1/2 z-50 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-xl border border-line bg-raised shadow-[var(--shadow-high)]">
          <Radix.Title className="sr-only">{say('edit.add')}</Radix.Title>
          {wanted && <Found wanted={wanted} context={context} onAdded={onAdded} />}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Found({ wanted, context, onAdded }: { wanted: NonNullable<PaletteFor>; context: Context; onAdded: (id: string) => void }) {
  const { say } = useWords();
  const types = useShapes((state) => state.types);
  const sorted = useMemo(() => [...types].sort((one, two) => Number(one.group === 'trigger') - Number(two.group === 'trigger') || one.title.localeCompare(two.title)), [types]);
  const isOnly = !!wanted.edge || !!wanted.handle;
  const choose = (type: string) => {
    openPalette(null);
    onAdded(add(type, wanted));
  };
  return (
    <Command label={say('edit.palette')} loop>
      <Command.Input autoFocus placeholder={say('edit.palette')} aria-label={say('edit.palette')} className="w-full border-b border-line bg-transparent px-4 py-3.5 text-[15px] outline-none placeholder:text-faint" />
      <Command.List className="max-h-[52vh] overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-faint">
        <Command.Empty className="py-8 text-center text-[13px] text-faint">{say('edit.nothing')}</Command.Empty>
        <Command.Group heading={say('edit.nodes')}>
          {sorted.filter((each) => !isOnly || each.inputs.length > 0).map((each) => {
            const Sign = signOf(each.type);
            return (
              <Command.Item key={each.type} value={each.type} keywords={[each.title, each.group, ...each.aliases]} onSelect={() => choose(each.type)} className={ITEM}>
                <span className={classes('grid size-8 shrink-0 place-items-center rounded-lg', hueOf(each.type))}><Sign size={16} aria-hidden /></span>
                <span className="min-w-0">
                  <span className="block font-medium text-ink">{each.title}</span>
                  <span className="block truncate text-xs text-soft">{each.summary}</span>
                </span>
              </Command.Item>
            );
          })}
        </Command.Group>
        {!isOnly && (
          <Command.Group heading={say('edit.actions')}>
            {ACTIONS.filter((each) => each.name !== 'add' && each.isEnabled()).map((each) => (
              <Command.Item key={each.name} value={each.name} keywords={[say(each.label)]} className={ITEM} onSelect={() => { openPalette(null); void each.perform(context); }}>
                <span className="grid size-8 place-items-center"><each.icon size={16} aria-hidden /></span>
                <span className="flex-1">{say(each.label)}</span>
                <kbd className="font-mono text-[11px] text-soft">{keysShown(each.keys)}</kbd>
              </Command.Item>
            ))}
          </Command.Group>
        )}
      </Command.List>
    </Command>
  );
}
