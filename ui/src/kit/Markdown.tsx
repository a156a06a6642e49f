import { Fragment, type ReactNode } from 'react';

const INLINE = /(`[^`]+`)|(\*\*[^*]+\*\*)|(\*[^*\s][^*]*\*|_[^_\s][^_]*_)|\[([^\]]+)\]\(([^)\s]+)\)/g;
/** Addresses that a link may have; anything else stays text. */
const SAFE = /^(https?:\/\/|mailto:|\/(?!\/)|#)/i;

function inline(text: string): ReactNode[] {
  const found: ReactNode[] = [];
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    const [all, code, bold, italic, label, address] = match;
    if (match.index > from) found.push(text.slice(from, match.index));
    const key = match.index;
    if (code) found.push(<code key={key} className="rounded bg-ink/10 px-1 font-mono text-[0.9em]">{code.slice(1, -1)}</code>);
    else if (bold) found.push(<strong key={key}>{inline(bold.slice(2, -2))}</strong>);
    else if (italic) found.push(<em key={key}>{inline(italic.slice(1, -1))}</em>);
    else if (SAFE.test(address!)) found.push(<a key={key} href={address} target="_blank" rel="noreferrer noopener" className="underline">{inline(label!)}</a>);
    else found.push(all);
    from = match.index + all.length;
  }
  if (from < text.length) found.push(text.slice(from));
  return found;
}

const HEADS = ['text-base font-semibold', 'text-sm font-semibold', 'text-[13px] font-semibold'];
const lines = (text: string) => text.split('\n').map((each, index) => <Fragment key={index}>{index > 0 && <br />}{inline(each)}</Fragment>);

/** A safe part of Markdown: headings, lists, quotes, code, bold, italic, links. Nothing is taken as HTML. */
export function Markdown({ text, className }: { text: string; className?: string }) {
  const blocks: ReactNode[] = [];
  const rest = text.replace(/\r/g, '').split('\n');
  while (rest.length) {
    const line = rest.shift()!;
    const key = blocks.length;
    const head = /^(#{1,3})\s+(.*)$/.exec(line);
    const take = (what: RegExp) => {
      const taken = [line];
      while (rest.length && what.test(rest[0]!)) taken.push(rest.shift()!);
      return taken.map((each) => each.replace(what, ''));
    };
    if (!line.trim()) continue;
    if (line.startsWith('```')) {
      const code: string[] = [];
      while (rest.length && !rest[0]!.startsWith('```')) code.push(rest.shift()!);
      rest.shift();
      blocks.push(<pre key={key} className="overflow-x-auto rounded bg-ink/10 p-2 font-mono text-[0.9em]">{code.join('\n')}</pre>);
    } else if (head) blocks.push(<p key={key} className={HEADS[head[1]!.length - 1]}>{inline(head[2]!)}</p>);
    else if (/^\s*[-*]\s+/.test(line)) blocks.push(<ul key={key} className="list-disc pl-5">{take(/^\s*[-*]\s+/).map((each, index) => <li key={index}>{inline(each)}</li>)}</ul>);
    else if (/^\s*\d+[.)]\s+/.test(line)) blocks.push(<ol key={key} className="list-decimal pl-5">{take(/^\s*\d+[.)]\s+/).map((each, index) => <li key={index}>{inline(each)}</li>)}</ol>);
    else if (line.startsWith('>')) blocks.push(<blockquote key={key} className="border-l-2 border-ink/30 pl-2">{lines(take(/^>\s?/).join('\n'))}</blockquote>);
    else {
      const paragraph = [line];
      while (rest.length && rest[0]!.trim() && !/^(#{1,3}\s|```|>|\s*[-*]\s|\s*\d+[.)]\s)/.test(rest[0]!)) paragraph.push(rest.shift()!);
      blocks.push(<p key={key}>{lines(paragraph.join('\n'))}</p>);
    }
  }
  return <div className={className}>{blocks}</div>;
}
