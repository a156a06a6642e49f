/** How wide the panel of a step is; kept in this browser. In a window that is narrower than `md` it covers the canvas. */
import { useCallback, useState, useSyncExternalStore } from 'react';

const KEY = 'linkflow.panel';
export const NARROW = 384;
/** From here on input, parameters and output stand side by side. */
export const WIDE = 780;
const within = (width: number, room: number) => Math.round(Math.min(Math.max(NARROW, room - 260), Math.max(320, width)));
const onSize = (tell: () => void) => {
  window.addEventListener('resize', tell);
  return () => window.removeEventListener('resize', tell);
};

/** Whether the panel covers the canvas, as CSS has it below `md`. */
export const useIsCovering = (): boolean => useSyncExternalStore(onSize, () => window.innerWidth < 768);

export function useWidth(): [number, (width: number) => void] {
  const room = useSyncExternalStore(onSize, () => window.innerWidth);
  const [width, setWidth] = useState(() => Number(localStorage.getItem(KEY)) || NARROW);
  return [within(width, room), useCallback((next: number) => {
    const kept = within(next, window.innerWidth);
    setWidth(kept);
    localStorage.setItem(KEY, String(kept));
  }, [])];
}
