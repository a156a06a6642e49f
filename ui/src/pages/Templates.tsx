import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { LayoutTemplate } from 'lucide-react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import { queries, templates, type TemplateLine } from '../api/queries';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Empty, Failed, Loading, Page } from '../kit/Page';
import { Prose } from '../kit/Prose';

/** Workflows to begin with. */
export function Templates() {
  const { say } = useWords();
  const list = useQuery(templates);
  return (
    <Page title={say('templates.title')} about={say('templates.about')}>
      {list.isPending && <Loading label={say('app.loading')} />}
      {list.isError && <Failed title={say('app.failed')} error={list.error} again={() => void list.refetch()} againLabel={say('app.again')} />}
      {list.data?.length === 0 && <Empty icon={<LayoutTemplate size={20} />} title={say('templates.empty')} about={say('templates.emptyAbout')} />}
      <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">{list.data?.map((each) => <Card key={each.slug} template={each} />)}</ul>
    </Page>
  );
}

function Card({ template }: { template: TemplateLine }) {
  const { say } = useWords();
  const may = useMay();
  const navigate = useNavigate();
  const use = useMutation({
    mutationFn: () => call('POST /templates/{slug}/use', { path: { slug: template.slug } }),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['workflows'] });
      void navigate({ to: '/w/$workflowId/edit', params: { workflowId: made.id } });
    },
    onError: (error) => toast.error(error.message),
  });
  return (
    <li className="flex flex-col rounded-xl border border-line bg-surface p-4 shadow-[var(--shadow)]">
      <h2>{template.name}</h2>
      <p className="mt-1 line-clamp-4 flex-1 text-[13px] text-soft"><Prose text={template.description} /></p>
      <div className="mt-3 flex items-center justify-between gap-2">
        <div className="flex min-w-0 flex-wrap gap-1">{template.tags.slice(0, 3).map((tag) => <span key={tag} className="rounded-md bg-sunk px-1.5 text-[11px] text-soft">{tag}</span>)}</div>
        {may('workflow.create') && <Button aria-label={`${say('templates.use')}: ${template.name}`} busy={use.isPending} onClick={() => use.mutate()}>{say('templates.use')}</Button>}
      </div>
    </li>
  );
}
