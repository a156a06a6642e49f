import { Panel, useReactFlow, useStore, type ReactFlowState } from '@xyflow/react';
import { useEffect, useRef, type PointerEvent } from 'react';
import { sizeOf } from '../graph/align';
import type { Drawn } from '../graph/shown';
import { useWords } from '../i18n';

const SIZE = { width: 150, height: 96 };
const PAD = 6;
const seenOf = ({ transform: [x, y, zoom], width, height }: ReactFlowState) => `${-x / zoom} ${-y / zoom} ${width / zoom} ${height / zoom}`;

/** The whole graph, small; a press goes there. One picture for all cards: an element for each would cost with every move of one. */
export function Overview({ nodes }: { nodes: readonly Drawn[] }) {
  const { say } = useWords();
  const { setCenter, getZoom } = useReactFlow();
  const seen = useStore(seenOf);
  const paper = useRef<HTMLCanvasElement>(null);
  const scale = useRef({ by: 1, x: 0, y: 0 });
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const context = paper.current?.getContext('2d');
      if (!context) return;
      const [x = 0, y = 0, width = 0, height = 0] = seen.split(' ').map(Number);
      const boxes = nodes.filter((each) => !each.hidden).map((each) => {
        const { width: wide, height: high } = each.type === 'card' ? sizeOf(each as never) : each as { width: number; height: number };
        return { ...each.position, width: wide, height: high, type: each.type };
      });
      const all = [...boxes, { x, y, width, height }];
      const left = Math.min(...all.map((each) => each.x));
      const top = Math.min(...all.map((each) => each.y));
      const by = Math.min((SIZE.width - 2 * PAD) / (Math.max(...all.map((each) => each.x + each.width)) - left), (SIZE.height - 2 * PAD) / (Math.max(...all.map((each) => each.y + each.height)) - top));
      scale.current = { by, x: left, y: top };
      const style = getComputedStyle(paper.current!);
      const dots = window.devicePixelRatio;
      context.setTransform(dots, 0, 0, dots, 0, 0);
      context.clearRect(0, 0, SIZE.width, SIZE.height);
      const draw = (each: { x: number; y: number; width: number; height: number }, how: 'fillRect' | 'strokeRect') => context[how](PAD + (each.x - left) * by, PAD + (each.y - top) * by, Math.max(1.5, each.width * by), Math.max(1.5, each.height * by));
      const [ofCards, ofNotes] = [style.getPropertyValue('--line-strong'), style.getPropertyValue('--warn-soft')];
      for (const each of boxes) {
        context.fillStyle = context.strokeStyle = each.type === 'note' ? ofNotes : ofCards;
        draw(each, each.type === 'frame' ? 'strokeRect' : 'fillRect');
      }
      context.strokeStyle = style.getPropertyValue('--accent');
      draw({ x, y, width, height }, 'strokeRect');
    });
    return () => cancelAnimationFrame(frame);
  }, [nodes, seen]);
  const goTo = (event: PointerEvent) => {
    if (event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const { by, x, y } = scale.current;
    void setCenter(x + (event.clientX - box.x - PAD) / by, y + (event.clientY - box.y - PAD) / by, { zoom: getZoom() });
  };
  return (
    <Panel position="bottom-right" className="nopan nodrag max-md:hidden">
      <canvas ref={paper} role="img" aria-label={say('edit.map')} data-testid="map" width={SIZE.width * window.devicePixelRatio} height={SIZE.height * window.devicePixelRatio} style={SIZE} className="block cursor-pointer rounded-lg border border-line bg-surface"
        onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); goTo(event); }} onPointerMove={goTo} />
    </Panel>
  );
}
