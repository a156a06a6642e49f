/** How wide the panel of a step is; kept in this browser. */
import { useCallback, useState } from 'react';

const KEY = 'linkflow.panel';
export const NARROW = 384;
/** From here on input, parameters and output stand side by side. */
export const WIDE = 780;
const most = () => Math.max(NARROW, window.innerWidth - 260);
const within = (width: number) => Math.round(Math.min(most(), Math.max(320, width)));

export function useWidth(): [number, (width: number) => void] {
  const [width, setWidth] = useState(() => within(Number(localStorage.getItem(KEY)) || NARROW));
  return [width, useCallback((next: number) => { setWidth(within(next)); localStorage.setItem(KEY, String(within(next))); }, [])];
}
