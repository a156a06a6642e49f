import type { InboxEvent } from '../api/schema.gen';
import { useWords } from '../i18n';
import { JsonView } from '../kit/JsonView';

/** A request as it came: line, headers, body. */
export function Request({ event }: { event: InboxEvent }) {
  const { say } = useWords();
  const { method, path, query, headers, ip } = event.request as { method?: string; path?: string; query?: string; headers?: Record<string, string>; ip?: string };
  return (
    <div className="flex flex-col gap-4">
      <p className="font-mono text-xs">{method} /webhooks/{event.source_id}{path ? `/${path}` : ''}{query ? `?${query}` : ''} <span className="text-faint">{ip}</span></p>
      <section><h3 className="mb-1 text-[13px] font-medium">{say('inbox.body')}</h3><JsonView label={say('inbox.body')} value={bodyOf(event)} /></section>
      {headers && <section><h3 className="mb-1 text-[13px] font-medium">{say('inbox.headers')}</h3><JsonView label={say('inbox.headers')} value={headers} /></section>}
    </div>
  );
}

/** The body as JSON where it is some, else as text. */
export function bodyOf(event: InboxEvent): unknown {
  try {
    return JSON.parse(event.body);
  } catch {
    return event.body;
  }
}
