/** Shortcuts as people read them, and whether a key press is one. Mod is Ctrl, or Command on a Mac. */
const isMac = navigator.platform.startsWith('Mac');
const NAMED: Record<string, string> = { Del: 'Delete', Esc: 'Escape', Space: ' ' };

/** Whether what was pressed is `keys`, such as `Shift+Alt+T`. A sign counts however it is typed. */
export function isPressed(event: KeyboardEvent, keys: string): boolean {
  const parts = keys === '+' ? ['+'] : keys.split('+');
  const wanted = parts.pop()!;
  const isSign = wanted.length === 1 && !/[a-z0-9]/i.test(wanted);
  const [mod, other] = isMac ? [event.metaKey, event.ctrlKey] : [event.ctrlKey, event.metaKey];
  if (other || mod !== parts.includes('Mod') || event.altKey !== parts.includes('Alt')) return false;
  if (!isSign && event.shiftKey !== parts.includes('Shift')) return false;
  if (!/^[a-z]$/i.test(wanted)) return event.key === (NAMED[wanted] ?? wanted);
  // Where letters are no Latin ones, or Alt makes signs of them, the place of the key counts.
  return /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() === wanted.toLowerCase() : event.code === `Key${wanted.toUpperCase()}`;
}

const SIGNS: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓' };
/** As this machine writes a shortcut. */
export const keysShown = (keys: string): string => keys.replace('Mod', isMac ? '⌘' : 'Ctrl').replace(/Arrow\w+/, (each) => SIGNS[each]!);

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || !!target.closest('[role="dialog"]'));
}
