/** Binds the shortcuts of every action, and the browser's own copy and paste where there is no other clipboard. */
import { useEffect } from 'react';
import { ACTIONS, isPressed, isTyping, type Context } from './actions';
import { cutChosen, hasClipboard, pasteText, textOfChosen } from './actions/clipboard';

const CLIPBOARD = new Set(['copy', 'cut', 'paste']);
/** Work even while one types. */
const ALWAYS = new Set(['run', 'save']);
const isDialogOpen = () => !!document.querySelector('[role="dialog"],[role="alertdialog"]');
/** Whether keys such as arrows and Enter belong to the canvas, not to a button, tab or list that has the focus. */
function isOnCanvas(target: EventTarget | null): boolean {
  return target === document.body || (target instanceof HTMLElement && (target.matches('.react-flow__node, .react-flow__edge') || target.classList.contains('react-flow')));
}

export function useKeys(context: Context): void {
  useEffect(() => {
    const isFree = (target: EventTarget | null) => !isTyping(target) && !isDialogOpen();
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const action = ACTIONS.find((each) => each.keys.some((keys) => isPressed(event, keys)) && (!each.isOnCanvas || isOnCanvas(event.target)));
      if (!action || !(isFree(event.target) || (ALWAYS.has(action.name) && !isDialogOpen()))) return;
      if (CLIPBOARD.has(action.name) && (!hasClipboard() || (action.name === 'copy' && window.getSelection()?.toString()))) return;
      event.preventDefault();
      if (action.isEnabled()) void action.perform(context);
    };
    const onCopy = (event: ClipboardEvent) => {
      if (!isFree(event.target) || window.getSelection()?.toString()) return;
      const text = textOfChosen(context);
      if (text === null) return;
      event.clipboardData?.setData('text/plain', text);
      event.preventDefault();
      if (event.type === 'cut') cutChosen(context);
    };
    const onPaste = (event: ClipboardEvent) => {
      if (!isFree(event.target)) return;
      event.preventDefault();
      void pasteText(event.clipboardData?.getData('text/plain') ?? '', context);
    };
    window.addEventListener('keydown', onKey);
    window.addEventListener('copy', onCopy);
    window.addEventListener('cut', onCopy);
    window.addEventListener('paste', onPaste);
    return () => {
      window.removeEventListener('keydown', onKey);
      window.removeEventListener('copy', onCopy);
      window.removeEventListener('cut', onCopy);
      window.removeEventListener('paste', onPaste);
    };
  }, [context]);
}
