import { useNavigate } from '@tanstack/react-router';
import { ChevronDown, ChevronLeft, ChevronRight, Columns3, Play, X } from 'lucide-react';
import { DropdownMenu, Tabs } from 'radix-ui';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { hueOf, signOf } from '../canvas/signs';
import { useNodeRun } from '../canvas/runs';
import { typeOf, useShapes } from '../canvas/shapes';
import type { CardNode } from '../graph/spec';
import { graphOrder } from '../graph/walk';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Choice, Field } from '../kit/Field';
import { Status } from '../kit/Status';
import { Behaviour } from './panel/Behaviour';
import { InputPane } from './panel/InputPane';
import { OutputPane } from './panel/OutputPane';
import { Parameters } from './panel/Parameters';
import { runPart, type Part } from './panel/running';
import { NodeContext, useSource } from './panel/source';
import { NARROW, useIsCovering, useWidth, WIDE } from './panel/useWidth';
import { patchNode, useEditor } from './store';

const TAB = 'border-b-2 border-transparent px-1 pb-2 text-[13px] font-medium text-soft hover:text-ink data-[state=active]:border-accent data-[state=active]:text-ink';
const ITEM = 'cursor-default rounded-md px-2.5 py-1.5 text-[13px] outline-none data-[highlighted]:bg-sunk';
const STEP = 40;
/** Which way one went on to this step; the button for it has the focus again. */
let went = 0;

interface Props {
  node: CardNode;
  tab: string;
  onTab: (tab: string) => void;
  onClose: () => void;
}

/** The chosen step: what it can name, its parameters, what it said. Side by side where there is room. */
export function Inspector(props: Props) {
  const { node, tab, onTab, onClose } = props;
  const { say } = useWords();
  const [width, setWidth] = useWidth();
  const run = useNodeRun(node.id);
  const panel = useRef<HTMLElement>(null);
  const isWide = width >= WIDE;
  const isCovering = useIsCovering();
  useEffect(() => {
    // What had the focus is covered now.
    if (isCovering && !panel.current!.contains(document.activeElement)) panel.current!.focus();
  }, [isCovering]);
  const fix = (field?: string) => {
    onTab('parameters');
    requestAnimationFrame(() => panel.current?.querySelector<HTMLElement>(field ? `[data-field="${CSS.escape(field)}"]` : '[aria-invalid="true"], [data-field]')?.focus());
  };
  const output = <OutputPane node={node} onFix={fix} />;
  const middle = isWide && tab !== 'settings' ? 'parameters' : tab;
  return (
    <NodeContext value={node.id}>
      <aside ref={panel} tabIndex={-1} aria-label={say('panel.title')} onKeyDown={(event) => event.key === 'Escape' && !event.defaultPrevented && onClose()} style={{ width }} className="relative flex shrink-0 flex-col border-l border-line bg-surface !outline-none max-md:absolute max-md:inset-0 max-md:z-20 max-md:!w-auto max-md:border-l-0">
        <Divider width={width} onWidth={setWidth} label={say('panel.width')} />
        <Header node={node} onClose={onClose} isWide={isWide} onWide={() => setWidth(isWide ? NARROW : 1120)} />
        <div className="flex min-h-0 flex-1">
          {isWide && <Pane title={say('pane.input')}><InputPane /></Pane>}
          <Tabs.Root value={middle} onValueChange={onTab} className="flex min-w-0 flex-1 flex-col">
            <Tabs.List aria-label={say('panel.title')} className="flex shrink-0 gap-4 overflow-x-auto border-b border-line px-4 pt-1 max-sm:gap-2.5">
              {!isWide && <Tabs.Trigger value="input" className={TAB}>{say('pane.input')}</Tabs.Trigger>}
              <Tabs.Trigger value="parameters" className={TAB}>{say('panel.parameters')}</Tabs.Trigger>
              {!isWide && <Tabs.Trigger value="run" className={classes(TAB, 'inline-flex items-center gap-1.5')}>{say('pane.output')}{run && <Status small status={run.status} label={worded(say, `status.${run.status}`, run.status)} />}</Tabs.Trigger>}
              <Tabs.Trigger value="settings" className={TAB}>{say('panel.settings')}</Tabs.Trigger>
            </Tabs.List>
            {!isWide && <Tabs.Content value="input" className="flex-1 overflow-y-auto p-4 outline-none"><InputPane /></Tabs.Content>}
            <Tabs.Content value="parameters" className="flex flex-1 flex-col gap-4 overflow-y-auto p-4 outline-none"><First node={node} /><Parameters key={`${node.id}:${node.data.spec.type}`} node={node} /></Tabs.Content>
            {!isWide && <Tabs.Content value="run" className="flex-1 overflow-y-auto p-4 outline-none">{output}</Tabs.Content>}
            <Tabs.Content value="settings" className="flex flex-1 flex-col gap-4 overflow-y-auto p-4 outline-none"><Behaviour node={node} /></Tabs.Content>
          </Tabs.Root>
          {isWide && <Pane title={say('pane.output')}>{output}</Pane>}
        </div>
      </aside>
    </NodeContext>
  );
}

function Pane({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex w-1/3 min-w-0 flex-col overflow-y-auto border-line bg-ground first:border-r last:border-l">
      <h2 className="px-4 pt-1 pb-2 !text-[13px]">{title}</h2>
      <div className="px-4 pb-4">{children}</div>
    </section>
  );
}

function Header({ node, onClose, isWide, onWide }: { node: CardNode; onClose: () => void; isWide: boolean; onWide: () => void }) {
  const { say } = useWords();
  const navigate = useNavigate({ from: '/w/$workflowId/edit' });
  const { workflowId, executionId } = useSource();
  const [isBusy, setBusy] = useState(false);
  const { spec } = node.data;
  const type = typeOf(spec.type);
  const Sign = signOf(type?.type ?? spec.type);
  const ways = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (went) ways.current?.querySelectorAll('button')[went < 0 ? 0 : 1]?.focus();
    went = 0;
  }, []);
  const go = (by: number) => {
    went = by;
    const { nodes, edges } = useEditor.getState();
    const order = graphOrder(nodes, edges);
    void navigate({ search: (before) => ({ ...before, node: order[(order.indexOf(node.id) + by + order.length) % order.length] }), replace: true });
  };
  const run = async (part: Part) => {
    setBusy(true);
    const id = await runPart(workflowId, node.id, part, part === 'to' ? '' : executionId);
    setBusy(false);
    if (id) void navigate({ search: (before) => ({ ...before, exec: id }), replace: true });
  };
  return (
    <header className="flex flex-wrap items-center gap-2 px-4 pt-3 pb-2">
      <span className={classes('grid size-9 shrink-0 place-items-center rounded-lg', hueOf(type?.type ?? spec.type))}><Sign size={18} aria-hidden /></span>
      <div className="min-w-32 flex-1">
        <input aria-label={say('panel.label')} className="-ml-1 w-full rounded-md bg-transparent px-1 text-[15px] font-semibold hover:bg-sunk focus:bg-sunk" value={spec.label ?? ''} placeholder={type?.title ?? spec.type} onChange={(event) => patchNode(node.id, { label: event.target.value || undefined }, 'label')} />
        <p className="truncate text-xs text-faint" title={say('panel.id')}>{type?.title ?? spec.type} · <code className="font-mono">{node.id}</code></p>
      </div>
      <div className="flex items-center" ref={ways}>
        <Button look="quiet" className="!px-1.5" aria-label={say('panel.before')} icon={<ChevronLeft size={15} aria-hidden />} onClick={() => go(-1)} />
        <Button look="quiet" className="!px-1.5" aria-label={say('panel.after')} icon={<ChevronRight size={15} aria-hidden />} onClick={() => go(1)} />
        <Button look="quiet" className="!px-1.5 max-md:hidden" aria-label={say('panel.wide')} aria-pressed={isWide} title={say('panel.wide')} icon={<Columns3 size={15} aria-hidden />} onClick={onWide} />
        <Button look="quiet" className="!px-1.5" aria-label={say('app.close')} icon={<X size={16} aria-hidden />} onClick={onClose} />
      </div>
      <div className="flex w-full">
        <Button busy={isBusy} className="!rounded-r-none" icon={<Play size={13} aria-hidden />} onClick={() => void run('node')}>{say('run.node')}</Button>
        <DropdownMenu.Root>
          <DropdownMenu.Trigger asChild><Button className="!rounded-l-none !border-l-0 !px-1.5" aria-label={say('run.more')} icon={<ChevronDown size={14} aria-hidden />} /></DropdownMenu.Trigger>
          <DropdownMenu.Portal>
            <DropdownMenu.Content align="start" sideOffset={4} className="z-50 min-w-44 rounded-lg border border-line bg-raised p-1 shadow-[var(--shadow-high)]">
              <DropdownMenu.Item className={ITEM} onSelect={() => void run('to')}>{say('run.to')}</DropdownMenu.Item>
              <DropdownMenu.Item className={ITEM} onSelect={() => void run('from')}>{say('run.from')}</DropdownMenu.Item>
            </DropdownMenu.Content>
          </DropdownMenu.Portal>
        </DropdownMenu.Root>
      </div>
    </header>
  );
}

/** What the step is for; the trigger can be replaced by another. */
function First({ node }: { node: CardNode }) {
  const { say } = useWords();
  const type = typeOf(node.data.spec.type);
  const triggers = useShapes((state) => state.types).filter((each) => each.group === 'trigger');
  const isTrigger = useEditor((state) => state.triggerId === node.id);
  return (
    <>
      {type && <p className="text-[13px] text-soft">{type.summary}</p>}
      {isTrigger && (
        <Field label={say('panel.replace')}>
          {(id) => <Choice id={id} value={type?.type} onChange={(event) => patchNode(node.id, { type: event.target.value, config: {}, label: undefined }, 'type')}>{triggers.map((each) => <option key={each.type} value={each.type}>{each.title}</option>)}</Choice>}
        </Field>
      )}
    </>
  );
}

/** The left edge of the panel: drawn by the mouse, moved by the arrow keys. */
function Divider({ width, onWidth, label }: { width: number; onWidth: (width: number) => void; label: string }) {
  return (
    <div role="separator" aria-orientation="vertical" aria-label={label} aria-valuenow={width} aria-valuemin={320} aria-valuemax={Math.max(width, 1200)} tabIndex={0}
      className="absolute inset-y-0 -left-1 z-10 w-2 cursor-col-resize max-md:hidden hover:bg-accent/30 focus-visible:bg-accent/30"
      onKeyDown={(event) => {
        const by = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
        if (!by) return;
        event.preventDefault();
        onWidth(width + by);
      }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && onWidth(event.currentTarget.parentElement!.getBoundingClientRect().right - event.clientX)}
    />
  );
}
