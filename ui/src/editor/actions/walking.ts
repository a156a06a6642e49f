/** Through the graph by keyboard: walk along lines, choose what follows, move what is chosen. */
import { ArrowDown, ArrowLeft, ArrowRight, ArrowUp, ChevronsLeft, ChevronsRight, Move, SquareMousePointer, X } from 'lucide-react';
import { beside, graphOrder, stream } from '../../graph/walk';
import { choose, nudge, useEditor } from '../store';
import { always, chosen, hasAny, hasChosen, type Action, type Context } from './action';

type Way = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';
const STEP = 20;
const MOVES: Record<Way, [number, number]> = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
const ICONS = { ArrowLeft, ArrowRight, ArrowUp, ArrowDown };
const WAYS = Object.keys(MOVES) as Way[];

/** Where the last key led, until the focus is there: who presses quickly goes on from there. */
let led = '';

/** The card that has the focus or is about to have it, else the one that is chosen. */
function here(): string | undefined {
  if (led && chosen().some((each) => each.id === led)) return led;
  const id = document.activeElement?.closest('.react-flow__node')?.getAttribute('data-id');
  return useEditor.getState().nodes.some((each) => each.id === id) ? id! : chosen().at(-1)?.id;
}
function walk(way: Way, context: Context): void {
  const { nodes, edges } = useEditor.getState();
  const from = here();
  const to = from ? beside(nodes, edges, from, way) : graphOrder(nodes, edges)[0];
  if (!to) {
    context.announce(context.say('voice.noWay'));
    return;
  }
  choose([to]);
  led = to;
  window.addEventListener('focusin', () => { led = ''; }, { once: true });
  context.go(to);
}

export const WALKING: readonly Action[] = [
  ...WAYS.map((way): Action => ({ name: `walk${way}`, label: 'edit.walk', icon: ICONS[way], part: 'move', keys: [way], isOnCanvas: true, isOnlyKey: true, isEnabled: always, perform: (context) => walk(way, context) })),
  ...WAYS.map((way): Action => ({ name: `move${way}`, label: 'edit.move', icon: Move, part: 'move', keys: [`Alt+${way}`], isOnCanvas: true, isOnlyKey: true, isEnabled: hasAny, perform: () => nudge(...MOVES[way]) })),
  { name: 'selectUp', label: 'edit.selectUp', icon: ChevronsLeft, part: 'move', keys: ['Shift+ArrowLeft'], isOnCanvas: true, isEnabled: hasChosen, perform: () => choose(chosen().flatMap((each) => [...stream(useEditor.getState().edges, each.id, false)])) },
  { name: 'selectDown', label: 'edit.selectDown', icon: ChevronsRight, part: 'move', keys: ['Shift+ArrowRight'], isOnCanvas: true, isEnabled: hasChosen, perform: () => choose(chosen().flatMap((each) => [...stream(useEditor.getState().edges, each.id, true)])) },
  { name: 'open', label: 'edit.open', icon: SquareMousePointer, part: 'move', keys: ['Enter'], isOnCanvas: true, isOnlyKey: true, isEnabled: () => !!here(), perform: ({ go }) => { const id = here()!; choose([id]); go(id, true); } },
  { name: 'close', label: 'edit.close', icon: X, part: 'move', keys: ['Esc'], isOnCanvas: true, isOnlyKey: true, isEnabled: always, perform: ({ close }) => { choose([]); close(); } },
];
