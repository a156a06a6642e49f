/** Puts cards in line, and at even distances. */
export interface Placed {
  id: string;
  position: { x: number; y: number };
  measured?: { width?: number; height?: number };
}
export const CARD = { width: 224, height: 58 };
export const sizeOf = ({ measured }: Pick<Placed, 'measured'>): { width: number; height: number } => ({ width: measured?.width ?? CARD.width, height: measured?.height ?? CARD.height });
type Axis = 'x' | 'y';
type Places = Map<string, { x: number; y: number }>;

/** One column (`x`) by the leftmost, or one row (`y`) by the topmost. */
export function align(cards: readonly Placed[], axis: Axis): Places {
  const edge = Math.min(...cards.map((each) => each.position[axis]));
  return new Map(cards.map((each) => [each.id, { ...each.position, [axis]: edge }]));
}

/** Even gaps along an axis; the outermost cards stay. */
export function distribute(cards: readonly Placed[], axis: Axis): Places {
  const side = axis === 'x' ? 'width' : 'height';
  const sorted = [...cards].sort((one, two) => one.position[axis] - two.position[axis]);
  const [first, last] = [sorted[0]!, sorted.at(-1)!];
  const room = last.position[axis] - first.position[axis] - sorted.slice(0, -1).reduce((sum, each) => sum + sizeOf(each)[side], 0);
  const gap = room / Math.max(1, sorted.length - 1);
  let at = first.position[axis];
  return new Map(sorted.map((each) => {
    const place = { ...each.position, [axis]: Math.round(at) };
    at += sizeOf(each)[side] + gap;
    return [each.id, place];
  }));
}
