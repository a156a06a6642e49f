/** A sentence of the server, with what stands between backticks as code. */
export function Prose({ text }: { text: string }) {
  return text.split('`').map((part, index) => (index % 2 ? <code key={index} className="font-mono text-[0.92em]">{part}</code> : part));
}
