import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { CircleAlert, CircleCheck, Download, ScrollText, ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call, fetchBlob } from '../api/client';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Input } from '../kit/Field';
import { Empty, Page, Table } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Listing, useAct } from './Listing';

const PAGE = 50;

/** Who changed what; whether the chain of lines holds; all of it as a file. */
export function Audit() {
  const { say, language } = useWords();
  const navigate = useNavigate({ from: '/admin/audit' });
  const { action = '' } = useSearch({ from: '/inside/admin/audit' });
  const [verdict, setVerdict] = useState<{ holds: boolean; lines: number; findings: unknown[] } | null>(null);
  const found = useInfiniteQuery({
    queryKey: ['audit', action], initialPageParam: 0,
    queryFn: ({ pageParam }) => call('GET /audit-logs', { query: { action, limit: PAGE, ...(pageParam ? { after: pageParam } : {}) } }),
    getNextPageParam: (last) => last.next || undefined,
  });
  const members = useQuery({ queryKey: ['members'], queryFn: async () => (await call('GET /members')).data });
  const names = new Map(members.data?.map((each) => [each.user_id, each.name || each.email]));
  const verify = useAct(() => call('GET /audit-logs/verify'), [], setVerdict);
  const save = useAct(download, []);
  const rows = found.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Page title={say('settings.audit')} about={say('audit.about')}
      actions={<>
        <Button icon={<ShieldCheck size={15} aria-hidden />} busy={verify.isPending} onClick={() => verify.mutate()}>{say('audit.verify')}</Button>
        <Button icon={<Download size={15} aria-hidden />} busy={save.isPending} onClick={() => save.mutate()}>{say('audit.export')}</Button>
      </>}>
      {verdict && (
        <p role="status" className={classes('mb-4 flex items-center gap-2 rounded-xl px-4 py-3 text-[13px] font-medium', verdict.holds ? 'bg-good-soft text-good' : 'bg-bad-soft text-bad')}>
          {verdict.holds ? <CircleCheck size={16} aria-hidden /> : <CircleAlert size={16} aria-hidden />}
          {verdict.holds ? say('audit.holds', { n: verdict.lines }) : say('audit.broken', { n: verdict.findings.length })}
        </p>
      )}
      <Input className="mb-4 !w-64" type="search" aria-label={say('audit.filter')} placeholder={say('audit.filter')} defaultValue={action}
        onKeyDown={(event) => event.key === 'Enter' && void navigate({ search: { action: event.currentTarget.value || undefined }, replace: true })}
        onBlur={(event) => event.currentTarget.value !== action && void navigate({ search: { action: event.currentTarget.value || undefined }, replace: true })} />
      <Listing found={found}>
        {() => rows.length === 0 ? <Empty icon={<ScrollText size={20} />} title={say('audit.empty')} about={say('audit.emptyAbout')} /> : (
          <Table label={say('settings.audit')} head={['#', say('letters.at'), say('audit.who'), say('audit.action'), say('audit.what'), say('audit.details'), say('audit.from')]}>
            {rows.map((each) => (
              <tr key={each.number}>
                <td className="px-4 py-2 text-faint tabular-nums">{each.number}</td>
                <td className="px-4 whitespace-nowrap text-soft" title={absolute(each.at, language)}>{ago(each.at, language)}</td>
                <td className="px-4">{each.actor_id ? names.get(each.actor_id) ?? each.actor_id.slice(0, 8) : say('audit.system')}</td>
                <td className="px-4 font-medium whitespace-nowrap">{each.action}</td>
                <td className="px-4"><code className="font-mono text-xs" title={each.resource}>{short(each.resource)}</code></td>
                <td className="max-w-56 px-4"><code className="block truncate font-mono text-xs text-faint" title={JSON.stringify(each.details)}>{Object.keys(each.details).length ? JSON.stringify(each.details) : ''}</code></td>
                <td className="px-4 whitespace-nowrap text-faint">{each.address}</td>
              </tr>
            ))}
          </Table>
        )}
      </Listing>
      {found.hasNextPage && <div className="mt-4 text-center"><Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{say('app.more')}</Button></div>}
    </Page>
  );
}

function short(resource: string): string {
  const [kind = '', id = ''] = resource.split(':');
  return id.length > 8 ? `${kind}:${id.slice(0, 8)}` : resource;
}

/** Fetches the file with one's token, which a plain link would not send. */
async function download(): Promise<void> {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await fetchBlob('/audit-logs/export'));
  link.download = 'audit.ndjson';
  link.click();
  URL.revokeObjectURL(link.href);
  toast.success('audit.ndjson');
}
