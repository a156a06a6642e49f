import { useVoice } from './voice';

/** A region that screen readers read out whenever it changes; the same words twice are said twice. */
export function Announcer() {
  const { text, turn } = useVoice();
  return <p className="sr-only" role="status" aria-live="polite" data-testid="voice">{text}{turn % 2 ? '\u00a0' : ''}</p>;
}
