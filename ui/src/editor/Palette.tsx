import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { ArrowRight, Workflow as WorkflowSign, type LucideIcon } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { useMemo, useState, type ReactNode } from 'react';
import { workflowList, type NodeType } from '../api/queries';
import { useShapes } from '../canvas/shapes';
import { hueOf, signOf } from '../canvas/signs';
import { found } from '../graph/search';
import { useWords, worded } from '../i18n';
import { classes } from '../kit/classes';
import { ACTIONS, keysShown, type Context } from './actions';
import { add, openPalette, useEditor, type PaletteFor } from './store';

const ITEM = 'flex cursor-pointer items-center gap-3 rounded-lg px-2.5 py-2 text-[13px] aria-selected:bg-accent-soft aria-selected:text-accent-text';
const PLACES = [
  { to: '/workflows', key: 'nav.workflows' }, { to: '/executions', key: 'nav.executions' }, { to: '/templates', key: 'nav.templates' },
  { to: '/triggers', key: 'nav.triggers' }, { to: '/dead-letters', key: 'nav.deadLetters' }, { to: '/me', key: 'nav.account' },
] as const;
const RECENT = 'linkflow.recentSteps';
const FEW = 5;

function recent(): string[] {
  try {
    return (JSON.parse(localStorage.getItem(RECENT) ?? '[]') as string[]).slice(0, FEW);
  } catch {
    return [];
  }
}

/** Steps to add, things to do, places to go to: found by typing. */
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
  const navigate = useNavigate();
  const [query, setQuery] = useState('');
  const types = useShapes((state) => state.types);
  const isOnly = !!wanted.edge || !!wanted.handle || !!wanted.to;
  const fitting = useMemo(() => {
    const sorted = [...types].sort((one, two) => Number(one.group === 'trigger') - Number(two.group === 'trigger') || one.title.localeCompare(two.title));
    return sorted.filter((each) => (!(wanted.edge || wanted.handle) || each.inputs.length > 0) && (!(wanted.edge || wanted.to) || each.outputs.length > 0));
  }, [types, wanted]);
  const steps = found(fitting, query, (each) => ({ title: each.title, about: each.summary, aliases: [...each.aliases, each.type, ...worded(say, `alias.${each.type}`, '').split(' ').filter(Boolean)] }));
  const lately = query ? [] : recent().map((type) => fitting.find((each) => each.type === type)).filter((each) => !!each);
  const actions = found(ACTIONS.filter((each) => each.name !== 'add' && !each.isOnlyKey && each.isEnabled()), query, (each) => ({ title: say(each.label) }));
  const places = query ? found(PLACES, query, (each) => ({ title: say(each.key) })) : [];
  const workflows = useInfiniteQuery({ ...workflowList(query), enabled: !isOnly && query.length > 1 });
  const others = (query.length > 1 && workflows.data?.pages[0]?.data.slice(0, FEW)) || [];
  const choose = (type: string) => {
    localStorage.setItem(RECENT, JSON.stringify([type, ...recent().filter((each) => each !== type)].slice(0, FEW)));
    openPalette(null);
    onAdded(add(type, wanted));
  };
  const leave = (go: () => Promise<void>) => { openPalette(null); void go(); };
  return (
    <Command label={say('edit.palette')} loop shouldFilter={false}>
      <Command.Input autoFocus value={query} onValueChange={setQuery} placeholder={say('edit.palette')} aria-label={say('edit.palette')} className="w-full border-b border-line bg-transparent px-4 py-3.5 text-[15px] outline-none placeholder:text-faint" />
      <Command.List className="max-h-[52vh] overflow-y-auto p-2 [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-faint">
        <Command.Empty className="py-8 text-center text-[13px] text-faint">{say('edit.nothing')}</Command.Empty>
        {lately.length > 0 && <Command.Group heading={say('edit.recent')}>{lately.map((each) => <Step key={each.type} type={each} value={`recent ${each.type}`} onChoose={choose} />)}</Command.Group>}
        {steps.length > 0 && <Command.Group heading={say('edit.nodes')}>{steps.map((each) => <Step key={each.type} type={each} value={each.type} onChoose={choose} />)}</Command.Group>}
        {!isOnly && actions.length > 0 && (
          <Command.Group heading={say('edit.actions')}>
            {actions.map((each) => <Line key={each.name} value={`do ${each.name}`} icon={each.icon} onSelect={() => { openPalette(null); void each.perform(context); }} aside={<kbd className="font-mono text-[11px] text-soft">{keysShown(each.keys[0]!)}</kbd>}>{say(each.label)}</Line>)}
          </Command.Group>
        )}
        {!isOnly && places.length + others.length > 0 && (
          <Command.Group heading={say('edit.goTo')}>
            {places.map((each) => <Line key={each.to} value={`go ${each.to}`} icon={ArrowRight} onSelect={() => leave(() => navigate({ to: each.to }))}>{say(each.key)}</Line>)}
            {others.map((each) => <Line key={each.id} value={`go ${each.id}`} icon={WorkflowSign} onSelect={() => leave(() => navigate({ to: '/w/$workflowId/edit', params: { workflowId: each.id } }))}>{each.name}</Line>)}
          </Command.Group>
        )}
      </Command.List>
    </Command>
  );
}

function Step({ type, value, onChoose }: { type: NodeType; value: string; onChoose: (type: string) => void }) {
  const Sign = signOf(type.type);
  return (
    <Command.Item value={value} onSelect={() => onChoose(type.type)} className={ITEM}>
      <span className={classes('grid size-8 shrink-0 place-items-center rounded-lg', hueOf(type.type))}><Sign size={16} aria-hidden /></span>
      <span className="min-w-0">
        <span className="block font-medium text-ink">{type.title}</span>
        <span className="block truncate text-xs text-soft">{type.summary}</span>
      </span>
    </Command.Item>
  );
}
function Line({ value, icon: Icon, onSelect, aside, children }: { value: string; icon: LucideIcon; onSelect: () => void; aside?: ReactNode; children: ReactNode }) {
  return (
    <Command.Item value={value} className={ITEM} onSelect={onSelect}>
      <span className="grid size-8 place-items-center"><Icon size={16} aria-hidden /></span>
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {aside}
    </Command.Item>
  );
}
