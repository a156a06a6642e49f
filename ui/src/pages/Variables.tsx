import { useQuery } from '@tanstack/react-query';
import { Braces, Plus } from 'lucide-react';
import { useState } from 'react';
import { call } from '../api/client';
import { useMay } from '../api/may';
import type { Variable } from '../api/schema.gen';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Area, Field, Input } from '../kit/Field';
import { Empty, Page, Table } from '../kit/Page';
import { Listing, useAct } from './Listing';

/** Reads what was typed as JSON where it is some, else as text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Shows a value so that `valueOf` reads the same again. */
function textOf(value: unknown): string {
  return typeof value === 'string' && valueOf(value) === value ? value : JSON.stringify(value);
}

/** Values that all workflows of the workspace share. */
export function Variables() {
  const { say } = useWords();
  const may = useMay();
  const [open, setOpen] = useState<Variable | 'new' | null>(null);
  const found = useQuery({ queryKey: ['variables'], queryFn: async () => (await call('GET /variables')).data as unknown as Variable[] });
  const make = may('variable.create') && <Button look="main" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen('new')}>{say('variables.new')}</Button>;
  const remove = useAct((key: string) => call('DELETE /variables/{key}', { path: { key } }), ['variables']);
  return (
    <Page title={say('settings.variables')} about={say('variables.about', { code: 'vars.name' })} actions={!!found.data?.length && make}>
      <Listing found={found}>
        {(rows) => rows.length === 0 ? <Empty icon={<Braces size={20} />} title={say('variables.empty')} about={say('variables.emptyAbout')}>{make}</Empty> : (
          <Table label={say('settings.variables')} head={[say('variables.key'), say('variables.value'), say('workflows.actions')]}>
            {rows.map((each) => (
              <tr key={each.key}>
                <td className="px-4 py-2.5"><code className="font-mono text-xs font-medium">{each.key}</code></td>
                <td className="max-w-md px-4">{each.is_secret ? <span className="text-faint">{say('variables.hidden')}</span> : <code className="block truncate font-mono text-xs">{JSON.stringify(each.value)}</code>}</td>
                <td className="flex gap-1.5 px-4 py-2">
                  {may('variable.update') && <Button aria-label={`${say('app.change')}: ${each.key}`} onClick={() => setOpen(each)}>{say('app.change')}</Button>}
                  {may('variable.delete') && <Button look="danger" aria-label={`${say('app.delete')}: ${each.key}`} onClick={() => window.confirm(say('variables.deleteAsk', { name: each.key })) && remove.mutate(each.key)}>{say('app.delete')}</Button>}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Listing>
      {open && <Form row={open === 'new' ? null : open} onClose={() => setOpen(null)} />}
    </Page>
  );
}

function Form({ row, onClose }: { row: Variable | null; onClose: () => void }) {
  const { say } = useWords();
  const save = useAct(({ key, value, is_secret }: { key: string; value: unknown; is_secret: boolean }) =>
    row ? call('PUT /variables/{key}', { path: { key: row.key }, body: { value } }) : call('POST /variables', { body: { key, value, is_secret } }), ['variables'], onClose);
  const send = (form: HTMLFormElement) => {
    const found = Object.fromEntries(new FormData(form)) as Record<string, string>;
    save.mutate({ key: found.key ?? '', value: valueOf(found.value ?? ''), is_secret: found.secret === 'on' });
  };
  return (
    <Dialog title={row?.key ?? say('variables.new')} isOpen onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => { event.preventDefault(); send(event.currentTarget); }}>
        {!row && <Field label={say('variables.key')}>{(id) => <Input id={id} name="key" required pattern="[A-Za-z_][A-Za-z0-9_]*" autoFocus />}</Field>}
        <Field label={say('variables.value')}>{(id) => <Area id={id} name="value" rows={3} required className="font-mono !text-xs" defaultValue={row && !row.is_secret ? textOf(row.value) : ''} />}</Field>
        {!row && <label className="flex items-center gap-2 text-[13px]"><input type="checkbox" name="secret" /> {say('variables.secret')}</label>}
        <div className="text-right"><Button type="submit" look="main" busy={save.isPending}>{say('app.save')}</Button></div>
      </form>
    </Dialog>
  );
}
