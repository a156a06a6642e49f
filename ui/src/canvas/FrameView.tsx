import { Handle, Position, type Node, type NodeProps } from '@xyflow/react';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { memo, useContext } from 'react';
import { GROUP_ID, type Frame } from '../graph/shown';
import { useWords } from '../i18n';
import { classes } from '../kit/classes';
import { Badge } from './Badge';
import { EditingContext } from './editing';
import { useRuns } from './runs';

type Props = NodeProps<Node<Frame['data'], 'frame'>>;
/** The worst that happened to the steps of a group. */
const ORDER = ['error', 'failed', 'timeout', 'waiting', 'running', 'success', 'cancelled', 'skipped'];

/** A group: a frame around its steps, or one card in their place. */
export const FrameView = memo(function FrameView({ id, data, selected }: Props) {
  const { say } = useWords();
  const editing = useContext(EditingContext);
  const { group, count } = data;
  const own = id.slice(GROUP_ID.length);
  const status = useRuns(({ seen }) => ORDER.find((each) => group.nodes.some((node) => seen.byNode[node]?.status === each)));
  const Chevron = group.isCollapsed ? ChevronRight : ChevronDown;
  return (
    <div data-testid={`group-${own}`} data-collapsed={group.isCollapsed} data-status={group.isCollapsed ? status : undefined}
      className={classes('h-full w-full rounded-xl border', group.isCollapsed ? 'card bg-surface shadow-[var(--shadow)]' : 'border-dashed bg-ink/3', selected ? '!border-accent ring-3 ring-accent/25' : 'border-line-strong')}>
      {group.isCollapsed && <Handle type="target" position={Position.Left} id="in" isConnectable={false} />}
      <div className={classes('flex items-center gap-1 px-2', group.isCollapsed ? 'h-full' : 'h-8')}>
        <button type="button" disabled={!editing} aria-expanded={!group.isCollapsed} aria-label={say(group.isCollapsed ? 'group.open' : 'group.collapse', { name: group.label })} className="nodrag rounded p-0.5 text-soft enabled:hover:bg-sunk enabled:hover:text-ink" onClick={() => editing?.patchGroup(own, { isCollapsed: !group.isCollapsed })}>
          <Chevron size={15} aria-hidden />
        </button>
        <span className="min-w-0 flex-1">
          {editing && !group.isCollapsed
            ? <input aria-label={say('group.name')} value={group.label} onChange={(event) => editing.patchGroup(own, { label: event.target.value })} className="nodrag w-full min-w-0 rounded bg-transparent px-1 text-xs font-semibold text-soft hover:bg-sunk focus:bg-surface" />
            : <span className="block truncate px-1 text-[13px] font-semibold">{group.label || own}</span>}
          {group.isCollapsed && <span className="block px-1 text-[11px] text-soft">{say('group.count', { count })}</span>}
        </span>
      </div>
      {group.isCollapsed && status && <Badge status={status} />}
      {group.isCollapsed && <Handle type="source" position={Position.Right} id="out" isConnectable={false} />}
    </div>
  );
});
