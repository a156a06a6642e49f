import { Handle, Position, useConnection, useStore, type Edge, type Node, type NodeProps } from '@xyflow/react';
import { Pin, TriangleAlert } from 'lucide-react';
import { memo, useContext } from 'react';
import { outputsOf, type CardNode, type SpecNode } from '../graph/spec';
import { useWords } from '../i18n';
import { classes } from '../kit/classes';
import { duration } from '../kit/time';
import { Badge } from './Badge';
import { EditingContext } from './editing';
import { useMarks } from './marks';
import { useNodeRun, useRuns } from './runs';
import { useShapes } from './shapes';
import { hueOf, signOf } from './signs';

const CHANGES = { added: '!border-good ring-3 ring-good/25', removed: '!border-bad border-dashed opacity-70 ring-3 ring-bad/25', changed: '!border-warn ring-3 ring-warn/25' };
const BACKS = { added: 'bg-good', removed: 'bg-bad', changed: 'bg-warn' };

/** The handles that lines leave from, by card; thought out once for all cards and every picture. */
const USED = new WeakMap<readonly Edge[], Map<string, string>>();
function usedHandles(edges: readonly Edge[]): Map<string, string> {
  let found = USED.get(edges);
  if (!found) {
    found = new Map();
    for (const { source, sourceHandle } of edges) {
      const before = found.get(source);
      found.set(source, before === undefined ? (sourceHandle ?? '') : `${before}\n${sourceHandle ?? ''}`);
    }
    USED.set(edges, found);
  }
  return found;
}

/** One step: sign, name, what it is, how its last run went, its handles. */
function Card({ id, spec, selected }: { id: string; spec: SpecNode; selected: boolean }) {
  const { say } = useWords();
  const run = useNodeRun(id);
  const type = useShapes((state) => state.byName.get(spec.type.split('@')[0]!));
  const used = useStore((state) => usedHandles(state.edges).get(id) ?? '');
  const problem = useMarks((state) => state.byNode[id]);
  const hasRun = useRuns((state) => !!state.executionId);
  const changed = useMarks((state) => state.changed[id]);
  const isStale = useMarks((state) => state.stale.has(id));
  const editing = useContext(EditingContext);
  // Only the card under the line that is drawn asks whether it may end there.
  const drawn = useConnection((line) => (line.inProgress && line.toNode?.id === id && line.fromHandle.type === 'source' ? `${line.fromNode.id}\n${line.fromHandle.id ?? 'out'}` : ''));
  const [from = '', handle = 'out'] = drawn.split('\n');
  const refusal = drawn && editing && from !== id ? editing.whyNot(from, handle, id) : '';
  const outputs = outputsOf(spec, type, used ? used.split('\n') : []);
  const Sign = signOf(type?.type ?? spec.type);
  const status = hasRun ? run?.status : undefined;
  return (
    <div className={classes('card relative flex w-56 items-center gap-3 rounded-xl border bg-surface px-3 py-2.5 shadow-[var(--shadow)]', selected ? '!border-accent ring-3 ring-accent/25' : 'border-line-strong', spec.disabled && 'border-dashed opacity-60', refusal && '!border-bad', changed && CHANGES[changed])}
      style={{ minHeight: Math.max(58, outputs.length * 24 + 10) }} data-status={status} data-change={changed} aria-invalid={refusal ? true : undefined} data-testid={`card-${id}`}>
      {type?.inputs.length !== 0 && <Handle type="target" position={Position.Left} id="in" />}
      <span className={classes('grid size-9 shrink-0 place-items-center rounded-lg', hueOf(type?.type ?? spec.type))}><Sign size={18} aria-hidden /></span>
      <span className="min-w-0 flex-1">
        <span className="block truncate text-[13px] leading-tight font-semibold">{spec.label || type?.title || spec.type}</span>
        <span className={classes('block truncate text-[11px] leading-tight', run?.error ? 'text-bad' : 'text-faint')}>{run?.error?.message ?? type?.title ?? spec.type}</span>
      </span>
      {outputs.length > 1 && <span className="flex flex-col items-end justify-around gap-1 self-stretch text-[10px] leading-none text-faint" aria-hidden>{outputs.map((each) => <span key={each} className="max-w-16 truncate">{each}</span>)}</span>}
      {outputs.map((each, index) => (
        <Handle key={each} type="source" position={Position.Right} id={each} style={{ top: `${((index + 0.5) / outputs.length) * 100}%` }} title={outputs.length > 1 ? each : undefined} />
      ))}
      {problem && !run && <span className={classes('absolute -top-2 -right-2 grid size-5 place-items-center rounded-full', problem.isError ? 'bg-bad text-surface' : 'bg-warn text-surface')} title={problem.message}><TriangleAlert size={12} aria-label={problem.message} /></span>}
      {refusal && <span role="tooltip" className="absolute top-full left-0 z-10 mt-2 w-max max-w-64 rounded-md bg-bad px-2 py-1 text-[11px] text-surface">{say(refusal)}</span>}
      {changed && <span className={classes('absolute -top-2.5 left-2 rounded-full px-1.5 text-[10px] leading-4 font-semibold text-surface', BACKS[changed])}>{say(`versions.${changed}`)}</span>}
      {!!spec.pinned && <span role="img" aria-label={say('pin.title')} title={say('pin.about')} className="absolute -top-2 -left-2 grid size-5 place-items-center rounded-full bg-accent text-accent-ink"><Pin size={11} aria-hidden /></span>}
      {run && <Badge status={run.status} isStale={isStale} />}
      {run?.ms != null && run.status !== 'skipped' && <span className="absolute -bottom-4.5 left-1 text-[10px] text-faint">{duration(run.ms)}{run.attempt > 1 ? ` · ${say('execution.attempt', { n: run.attempt })}` : ''}</span>}
    </div>
  );
}

type Props = NodeProps<Node<CardNode['data'], 'card'>>;
/** Compares only what the card draws: a dragged card does not draw itself again. */
export const CardView = memo(
  function CardView({ id, data, selected }: Props) {
    return <Card id={id} spec={data.spec} selected={!!selected} />;
  },
  (one, two) => one.id === two.id && one.data === two.data && one.selected === two.selected,
);
