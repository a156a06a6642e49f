import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { call } from '../api/client';
import { useMay } from '../api/may';
import type { Credential } from '../api/schema.gen';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Choice } from '../kit/Field';

const CredentialForm = lazy(() => import('../forms/CredentialForm').then((found) => ({ default: found.CredentialForm })));

interface Props {
  about: Record<string, unknown>;
  value: string;
  onChange: (name: string | undefined) => void;
}

/** Which credential a step uses: one that is there, or a new one, made here. */
export function CredentialChoice({ about, value, onChange }: Props) {
  const { say } = useWords();
  const may = useMay();
  const [isOpen, setOpen] = useState(false);
  const canSee = may('credential.view');
  const found = useQuery({ queryKey: ['credentials'], enabled: canSee, queryFn: async () => (await call('GET /credentials')).data as unknown as Credential[] });
  const types = useQuery({ queryKey: ['credential-types'], enabled: isOpen, staleTime: Infinity, queryFn: async () => (await call('GET /credential-types')).data });
  const list = found.data ?? [];
  const isKnown = value === '' || list.some((each) => each.name === value || each.id === value);
  return (
    <>
      <div className="flex gap-1.5">
        <Choice {...about} value={list.find((each) => each.id === value)?.name ?? value} onChange={(event) => onChange(event.target.value || undefined)}>
          <option value="">–</option>
          {!isKnown && <option value={value}>{value}</option>}
          {list.map((each) => <option key={each.id} value={each.name}>{each.name}</option>)}
        </Choice>
        {may('credential.create') && <Button className="shrink-0" aria-label={say('credentials.new')} title={say('credentials.new')} icon={<Plus size={14} aria-hidden />} onClick={() => setOpen(true)} />}
      </div>
      {!isKnown && found.isSuccess && <p className="text-xs text-warn" role="status">{say('panel.noCredential', { name: value })}</p>}
      {isOpen && types.data && <Suspense><CredentialForm types={types.data} row={null} called={isKnown ? undefined : value} onClose={() => setOpen(false)} onSaved={(saved) => onChange(saved.name)} /></Suspense>}
    </>
  );
}
