import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Upload } from 'lucide-react';
import { useRef } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { queries } from '../api/queries';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';

interface Arrived {
  id: string | null;
  name: string;
  error: string | null;
  notes: { code: string; message: string; nodeId?: string }[];
}

/** Bring workflows in from a file, ours or of n8n, and tell what became of each. */
export function ImportWorkflows() {
  const { say } = useWords();
  const chooser = useRef<HTMLInputElement>(null);
  const act = useMutation({
    mutationFn: async (file: File) => {
      const text = await file.text();
      let body: unknown;
      try {
        body = JSON.parse(text);
      } catch {
        throw new Error(say('imports.noJson', { name: file.name }));
      }
      return (await call('POST /workflows/import', { body })).workflows as unknown as Arrived[];
    },
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['workflows'] }),
    onError: (error) => toast.error(error.message),
  });
  return (
    <>
      <input ref={chooser} type="file" accept=".json,application/json" className="hidden" aria-hidden tabIndex={-1} data-testid="import-file"
        onChange={(event) => { const [file] = event.target.files ?? []; if (file) act.mutate(file); event.target.value = ''; }} />
      <Button icon={<Upload size={15} aria-hidden />} busy={act.isPending} onClick={() => chooser.current?.click()}>{say('workflows.import')}</Button>
      <Dialog title={say('workflows.imported')} about={say('imports.about')} isOpen={act.isSuccess} onClose={() => act.reset()} closeLabel={say('app.close')} isWide>
        <ul className="flex flex-col gap-4">{act.data?.map((each, index) => <li key={each.id ?? index}><Arrival found={each} /></li>)}</ul>
      </Dialog>
    </>
  );
}

function Arrival({ found: { id, name, error, notes } }: { found: Arrived }) {
  const { say } = useWords();
  return (
    <>
      <p className="text-[13px] font-semibold break-words">{id ? <Link to="/w/$workflowId/edit" params={{ workflowId: id }} className="text-accent-text hover:underline">{name}</Link> : name}</p>
      {error && <p className="mt-0.5 text-[13px] text-bad">{error}</p>}
      {!error && notes.length === 0 && <p className="mt-0.5 text-[13px] text-soft">{say('imports.clean')}</p>}
      {notes.length > 0 && (
        <ul className="mt-1.5 flex flex-col gap-1.5 text-[13px] text-soft">
          {notes.map((each, index) => <li key={index} className="break-words">{each.nodeId && <code className="mr-1.5 font-mono text-xs text-ink">{each.nodeId}</code>}{each.message}</li>)}
        </ul>
      )}
    </>
  );
}
