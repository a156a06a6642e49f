import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { me, queries } from '../api/queries';
import { setTheme, theme, type Theme } from '../kit/theme';
import { LANGUAGES, speak, useWords, type Language } from '../i18n';
import { Button } from '../kit/Button';
import { Choice, Field, Input } from '../kit/Field';
import { Failed, Loading, Page } from '../kit/Page';

/** How one is called, and how LinkFlow looks and speaks. */
export function Account() {
  const { say, language } = useWords();
  const found = useQuery(me);
  const [look, setLook] = useState(theme());
  const save = async (name: string) => {
    try {
      await call('PUT /auth/me', { body: { name } });
      await queries.invalidateQueries({ queryKey: ['me'] });
      toast.success(say('account.saved'));
    } catch (error) {
      toast.error(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Page title={say('account.title')} about={say('account.about')}>
      {found.isPending && <Loading label={say('app.loading')} />}
      {found.isError && <Failed title={say('app.failed')} error={found.error} />}
      {found.data && (
        <div className="grid max-w-3xl gap-5 md:grid-cols-2">
          <form className="flex flex-col gap-4 rounded-xl border border-line bg-surface p-5" onSubmit={(event) => { event.preventDefault(); void save(String(new FormData(event.currentTarget).get('name'))); }}>
            <Field label={say('account.name')}>{(id) => <Input id={id} name="name" required defaultValue={found.data.name} />}</Field>
            <Field label={say('account.email')}>{(id) => <Input id={id} value={found.data.email} disabled readOnly />}</Field>
            <Field label={say('account.workspace')}>{(id) => <Input id={id} value={found.data.role} disabled readOnly />}</Field>
            <div><Button type="submit" look="main">{say('app.save')}</Button></div>
          </form>
          <div className="flex flex-col gap-4 self-start rounded-xl border border-line bg-surface p-5">
            <Field label={say('theme.label')}>
              {(id) => <Choice id={id} value={look} onChange={(event) => { setTheme(event.target.value as Theme); setLook(event.target.value as Theme); }}>{(['system', 'light', 'dark'] as const).map((each) => <option key={each} value={each}>{say(`theme.${each}`)}</option>)}</Choice>}
            </Field>
            <Field label={say('language.label')}>
              {(id) => <Choice id={id} value={language} onChange={(event) => void speak(event.target.value as Language)}>{Object.entries(LANGUAGES).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}</Choice>}
            </Field>
          </div>
        </div>
      )}
    </Page>
  );
}
