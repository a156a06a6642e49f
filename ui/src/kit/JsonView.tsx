/** JSON as text that can be chosen and scrolled; what is very long is cut. */
const LIMIT = 50_000;

export function JsonView({ value, label }: { value: unknown; label: string }) {
  const text = value === undefined ? '' : JSON.stringify(value, null, 2);
  return (
    <pre tabIndex={0} aria-label={label} role="region" className="max-h-[60vh] overflow-auto rounded-lg border border-line bg-sunk p-3 font-mono text-xs leading-relaxed break-words whitespace-pre-wrap">
      {text.length > LIMIT ? `${text.slice(0, LIMIT)}\n…` : text}
    </pre>
  );
}
