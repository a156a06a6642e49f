/** Tidying: thought out in a worker, shown as a movement, one step back. */
import { begin, place, useEditor } from './store';

type Places = Map<string, { x: number; y: number }>;
const MOVE_MS = 260;
let worker: Worker | null = null;

function thought(): Promise<Places> {
  worker ??= new Worker(new URL('../graph/layout.worker.ts', import.meta.url), { type: 'module' });
  const at = worker;
  const { nodes, edges } = useEditor.getState();
  return new Promise((done, fail) => {
    at.onmessage = ({ data }: MessageEvent<Places>) => done(data);
    at.onerror = (event) => fail(new Error(event.message));
    at.postMessage({ nodes: nodes.map(({ id, position }) => ({ id, position })), edges: edges.map(({ source, target }) => ({ source, target })) });
  });
}

/** Put every card where the layout wants it, around where the trigger stands. */
export async function tidyUp(): Promise<void> {
  const before = useEditor.getState();
  const wanted = await thought();
  const { nodes, edges, triggerId } = useEditor.getState();
  if (edges !== before.edges || nodes.length !== before.nodes.length) return tidyUp(); // edited meanwhile
  const from = new Map(nodes.map((each) => [each.id, each.position]));
  const [old, now] = [from.get(triggerId) ?? { x: 0, y: 0 }, wanted.get(triggerId) ?? { x: 0, y: 0 }];
  const goal: Places = new Map([...wanted].map(([id, { x, y }]) => [id, { x: x + old.x - now.x, y: y + old.y - now.y }]));
  begin();
  const { edit } = useEditor.getState();
  if (!window.matchMedia('(prefers-reduced-motion: reduce)').matches && !document.hidden) await moved(from, goal, edit);
  if (useEditor.getState().edit === edit) place(goal);
}

/** Move, a picture at a time, until all are there or somebody edits. */
function moved(from: Places, goal: Places, edit: number): Promise<void> {
  return new Promise((done) => {
    let start = 0;
    const draw = (now: number) => {
      start ||= now;
      const part = Math.min(1, (now - start) / MOVE_MS);
      if (part === 1 || useEditor.getState().edit !== edit) return done();
      const eased = 1 - (1 - part) ** 3;
      place(new Map([...goal].map(([id, { x, y }]) => {
        const at = from.get(id) ?? { x, y };
        return [id, { x: at.x + (x - at.x) * eased, y: at.y + (y - at.y) * eased }];
      })));
      requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  });
}
