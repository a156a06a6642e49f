import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { queries } from '../api/queries';
import type { Credential, CredentialField, CredentialType } from '../api/schema.gen';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Area, Choice, Field, Input } from '../kit/Field';

const PREFIX = 'field.';

interface Props {
  types: CredentialType[];
  row: Credential | null;
  /** What a new one is called at first. */
  called?: string;
  onClose: () => void;
  onSaved?: (saved: Credential) => void;
}

/** A form made from the fields of a type; of one that is there, only what is typed is changed. */
export function CredentialForm({ types, row, called, onClose, onSaved }: Props) {
  const { say } = useWords();
  const [name, setName] = useState(row?.type ?? '');
  const [problem, setProblem] = useState('');
  const type = types.find((each) => each.name === name);
  const save = useMutation({
    mutationFn: (body: { name: string; type: string; data: Record<string, unknown> }) => (row ? call('PUT /credentials/{credential_id}', { path: { credential_id: row.id }, body: { name: body.name, ...(Object.keys(body.data).length ? { data: body.data } : {}) } }) : call('POST /credentials', { body })),
    onSuccess: (saved) => {
      void queries.invalidateQueries({ queryKey: ['credentials'] });
      toast.success(say('credentials.saved'));
      onSaved?.(saved);
      onClose();
    },
    onError: (error: Error) => void toast.error(error.message),
  });
  const send = (form: HTMLFormElement) => {
    const data: Record<string, unknown> = {};
    for (const [key, value] of new FormData(form)) if (key.startsWith(PREFIX) && value !== '') data[key.slice(PREFIX.length)] = value;
    const open = String(new FormData(form).get('open') ?? '').trim();
    if (open) {
      const found = parsed(open);
      if (!found) return setProblem(say('credentials.fieldsBad'));
      Object.assign(data, found);
    }
    setProblem('');
    save.mutate({ name: String(new FormData(form).get('name')), type: name, data });
  };
  return (
    <Dialog title={row ? say('credentials.edit', { name: row.name }) : say('credentials.new')} isOpen onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" autoComplete="off" onSubmit={(event) => { event.preventDefault(); send(event.currentTarget); }}>
        <Field label={say('credentials.type')}>
          {(id) => <Choice id={id} required value={name} disabled={!!row} autoFocus={!row} onChange={(event) => setName(event.target.value)}>
            <option value="" disabled>{say('credentials.choose')}</option>
            {types.map((each) => <option key={each.name} value={each.name}>{each.title}</option>)}
          </Choice>}
        </Field>
        {type && (
          <>
            <Field label={say('credentials.name')}>{(id) => <Input id={id} name="name" required maxLength={255} defaultValue={row?.name ?? (called || type.name)} />}</Field>
            {type.fields.map((each) => <One key={`${type.name}.${each.name}`} field={each} isKept={!!row} />)}
            {type.is_open && <Field label={say('credentials.fields')} hint={row ? say('credentials.keep') : undefined} error={problem || undefined}>{(id, described) => <Area id={id} aria-describedby={described} name="open" rows={4} required={!row && type.fields.length === 0} className="font-mono !text-xs" placeholder={'{"token": "…"}'} />}</Field>}
            {type.needs_consent && <Redirect />}
          </>
        )}
        <div className="text-right"><Button type="submit" look="main" disabled={!type} busy={save.isPending}>{say('app.save')}</Button></div>
      </form>
    </Dialog>
  );
}

function One({ field, isKept }: { field: CredentialField; isKept: boolean }) {
  const { say } = useWords();
  const isNeeded = field.required && !isKept;
  const name = PREFIX + field.name;
  return (
    <Field label={field.title} isRequired={isNeeded} hint={isKept ? say('credentials.keep') : undefined}>
      {(id, described) => field.choices.length > 0 ? (
        <Choice id={id} name={name} required={isNeeded} defaultValue={isKept ? '' : (field.default ?? '')}>
          <option value="" disabled={isNeeded}>{say('credentials.choose')}</option>
          {field.choices.map((each) => <option key={each} value={each}>{each}</option>)}
        </Choice>
      ) : <Input id={id} name={name} aria-describedby={described} type={field.secret ? 'password' : 'text'} autoComplete={field.secret ? 'new-password' : 'off'} required={isNeeded} defaultValue={isKept || field.secret ? '' : (field.default ?? '')} />}
    </Field>
  );
}

/** Where the service must send people back to; one registers it there. */
function Redirect() {
  const { say } = useWords();
  const { data } = useQuery({ queryKey: ['oauth-providers'], staleTime: Infinity, queryFn: async () => (await call('GET /oauth/providers')).data });
  const address = data?.[0]?.redirect_uri.replace(/[^/]+$/, '…');
  return address ? <p className="text-xs text-faint">{say('credentials.redirect')} <code className="font-mono break-all text-soft">{address}</code></p> : null;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(text);
    return found && typeof found === 'object' && !Array.isArray(found) ? (found as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
