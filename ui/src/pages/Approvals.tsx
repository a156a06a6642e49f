import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { CircleCheck, UserCheck } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/client';
import { useMay } from '../api/may';
import type { ApprovalShape } from '../api/schema.gen';
import { fieldsOf, type FormField } from '../graph/form';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Area, Choice, Field, Input } from '../kit/Field';
import { JsonView } from '../kit/JsonView';
import { Empty, Failed, Page } from '../kit/Page';
import { absolute, ago } from '../kit/time';
import { Listing, useAct } from './Listing';

const LOOK_MS = 5_000;
const TABS = ['open', 'decided'] as const;

/** Decisions that executions wait for, and those that were made; or the one that a letter is about. */
export function Approvals() {
  const { say } = useWords();
  const { id } = useSearch({ from: '/inside/approvals' });
  return <Page title={say('nav.approvals')} about={say('approvals.about')}>{id ? <One key={id} id={id} /> : <All />}</Page>;
}

function One({ id }: { id: string }) {
  const { say } = useWords();
  const found = useQuery({ queryKey: ['approvals', id], queryFn: () => call('GET /approvals/{approval_id}', { path: { approval_id: id } }), refetchInterval: LOOK_MS });
  return (
    <>
      <Link to="/approvals" className="mb-4 inline-block text-[13px] text-accent-text hover:underline">{say('approvals.all')}</Link>
      <Listing found={found}>{(row) => <ul aria-label={say('nav.approvals')} className="max-w-3xl"><Asked row={row} /></ul>}</Listing>
    </>
  );
}

function All() {
  const { say } = useWords();
  const navigate = useNavigate({ from: '/approvals' });
  const { status, mine } = useSearch({ from: '/inside/approvals' });
  const shown = status === 'decided' ? 'decided' : 'open';
  const found = useInfiniteQuery({
    queryKey: ['approvals', shown, mine], initialPageParam: '', refetchInterval: LOOK_MS,
    queryFn: ({ pageParam }) => call('GET /approvals', { query: { status: shown, mine: mine ? true : undefined, limit: 50, after: pageParam } }),
    getNextPageParam: (last) => last.next || undefined,
  });
  const rows = found.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center gap-4">
        <div role="group" aria-label={say('workflows.state')} className="flex gap-1">
          {TABS.map((each) => <Button key={each} look={shown === each ? 'main' : 'plain'} aria-pressed={shown === each} onClick={() => void navigate({ search: (before) => ({ ...before, status: each === 'open' ? undefined : each }), replace: true })}>{say(`approvals.${each}`)}</Button>)}
        </div>
        <label className="flex items-center gap-2 text-[13px]"><input type="checkbox" checked={!!mine} onChange={(event) => void navigate({ search: (before) => ({ ...before, mine: event.target.checked ? '1' : undefined }), replace: true })} /> {say('approvals.mine')}</label>
      </div>
      <Listing found={found}>
        {() => rows.length === 0 ? <Empty icon={<UserCheck size={20} />} title={say('approvals.empty')} about={say('approvals.emptyAbout')} /> : (
          <ul aria-label={say('nav.approvals')} className="flex max-w-3xl flex-col gap-4">{rows.map((each) => <Asked key={each.id} row={each} />)}</ul>
        )}
      </Listing>
      {found.hasNextPage && <div className="mt-4 text-center"><Button busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>{say('app.more')}</Button></div>}
    </>
  );
}

function Asked({ row }: { row: ApprovalShape }) {
  const { say, language } = useWords();
  const may = useMay();
  const isOpen = row.status === 'open';
  return (
    <li className="rounded-xl border border-line bg-surface p-5 shadow-[var(--shadow)]">
      <div className="flex flex-wrap items-start justify-between gap-2">
        <h2>{row.title || row.node_id}</h2>
        {!isOpen && <span className={classes('rounded-full px-2 py-0.5 text-xs font-medium', row.status === 'approved' ? 'bg-good-soft text-good' : row.status === 'rejected' ? 'bg-bad-soft text-bad' : 'bg-sunk text-soft')}>{worded(say, `approvals.${row.status}`, row.status)}</span>}
      </div>
      <p className="mt-0.5 text-xs text-faint">
        <span title={absolute(row.opened_at, language)}>{say('approvals.asked', { when: ago(row.opened_at, language) })}</span>
        {isOpen && row.due_at && <span title={absolute(row.due_at, language)}> · {say('approvals.due', { when: ago(row.due_at, language) })}</span>}
        {!isOpen && <> · {row.decided_by} <span title={absolute(row.decided_at, language)}>{ago(row.decided_at, language)}</span></>}
        {' · '}<Link to="/executions/$executionId" params={{ executionId: row.execution_id }} className="text-accent-text hover:underline">{say('approvals.execution')}</Link>
      </p>
      {row.description && <p className="mt-2 text-[13px] whitespace-pre-wrap">{row.description}</p>}
      {row.payload != null && <details className="mt-3" open><summary className="text-[13px] font-medium">{say('approvals.payload')}</summary><div className="mt-1"><JsonView label={say('approvals.payload')} value={row.payload} /></div></details>}
      {isOpen && may('approval.decide') && (row.can_decide ? <Decide row={row} /> : <p className="mt-3 text-[13px] text-faint">{say('approvals.notYours')}</p>)}
      {!isOpen && row.comment && <p className="mt-3 border-l-2 border-line pl-3 text-[13px] text-soft">{row.comment}</p>}
      {!isOpen && row.answer != null && <div className="mt-3"><JsonView label={say('approvals.answer')} value={row.answer} /></div>}
    </li>
  );
}

/** The form of an approval, from its JSON Schema, with a comment and two buttons. */
function Decide({ row }: { row: ApprovalShape }) {
  const { say } = useWords();
  const [problem, setProblem] = useState<unknown>(null);
  const fields = row.form ? fieldsOf(row.form) : [];
  const decide = useAct(async ({ decision, form }: { decision: 'approved' | 'rejected'; form: HTMLFormElement }) => {
    const said = new FormData(form);
    const answer = Object.fromEntries(fields.map((each) => [each.name, readOf(each, said)] as const).filter(([, value]) => value !== undefined));
    setProblem(null);
    try {
      await call('POST /approvals/{approval_id}/decision', { path: { approval_id: row.id }, body: { decision, comment: String(said.get('comment') ?? ''), answer: fields.length && decision === 'approved' ? answer : null } });
    } catch (error) {
      setProblem(error);
      throw error;
    }
  }, ['approvals', 'executions'], () => void toast.success(say('approvals.gone')));
  return (
    <form className="mt-4 flex flex-col gap-3 border-t border-line pt-4" onSubmit={(event) => { event.preventDefault(); decide.mutate({ decision: 'approved', form: event.currentTarget }); }}>
      {problem !== null && <Failed title={say('app.failed')} error={problem} />}
      {fields.map((each) => <Answer key={each.name} field={each} title={titleOf(row.form, each.name)} />)}
      <Field label={say('approvals.comment')}>{(id) => <Area id={id} name="comment" rows={2} />}</Field>
      <div className="flex gap-2">
        <Button type="submit" look="main" icon={<CircleCheck size={15} aria-hidden />} busy={decide.isPending}>{say('approvals.approve')}</Button>
        <Button look="danger" busy={decide.isPending} onClick={(event) => decide.mutate({ decision: 'rejected', form: event.currentTarget.form! })}>{say('approvals.reject')}</Button>
      </div>
    </form>
  );
}

function titleOf(form: Record<string, unknown> | null, name: string): string {
  const found = (form?.properties as Record<string, { title?: string }> | undefined)?.[name];
  return found?.title ?? name;
}

function Answer({ field, title }: { field: FormField; title: string }) {
  const { say } = useWords();
  const initial = field.initial === undefined ? '' : typeof field.initial === 'string' ? field.initial : JSON.stringify(field.initial);
  if (field.kind === 'switch') return <label className="flex items-center gap-2 text-[13px]"><input type="checkbox" name={field.name} defaultChecked={field.initial === true} /> {title}</label>;
  return (
    <Field label={title} isRequired={field.isRequired} hint={field.about || undefined}>
      {(id, described) => {
        const given = { id, name: field.name, 'aria-describedby': described, required: field.isRequired, defaultValue: initial };
        if (field.kind === 'choice') return <Choice {...given}><option value="" disabled={field.isRequired}>{say('approvals.choose')}</option>{field.choices.map((each) => <option key={each} value={each}>{each}</option>)}</Choice>;
        if (field.kind === 'long' || field.kind === 'json') return <Area {...given} rows={3} />;
        return <Input {...given} type={field.kind === 'number' ? 'number' : 'text'} step="any" />;
      }}
    </Field>
  );
}

/** What was filled in, as the schema means it; nothing where the field is empty. */
function readOf(field: FormField, said: FormData): unknown {
  const text = said.get(field.name);
  if (field.kind === 'switch') return text === 'on';
  if (text === null || text === '') return undefined;
  if (field.kind === 'number') return Number(text);
  if (field.kind !== 'json') return text;
  try {
    return JSON.parse(String(text));
  } catch {
    return text;
  }
}
