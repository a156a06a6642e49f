import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { CalendarClock, Hand, Radio, Webhook, type LucideIcon } from 'lucide-react';
import { useState } from 'react';
import { call } from '../api/client';
import { queries } from '../api/queries';
import { useWords } from '../i18n';
import type { Key } from '../i18n/en';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Dialog } from '../kit/Dialog';
import { Field, Input } from '../kit/Field';
import { Failed } from '../kit/Page';

const STARTS: { type: string; icon: LucideIcon; config: object }[] = [
  { type: 'trigger.manual', icon: Hand, config: {} },
  { type: 'trigger.webhook', icon: Webhook, config: {} },
  { type: 'trigger.schedule', icon: CalendarClock, config: { cron: '0 9 * * 1-5' } },
  { type: 'trigger.event', icon: Radio, config: { event: 'order.paid' } },
];

/** Name it and say what starts it. */
export function NewWorkflow({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { say } = useWords();
  const navigate = useNavigate();
  const [start, setStart] = useState('trigger.manual');
  const make = useMutation({
    mutationFn: (name: string) => {
      const { type, config } = STARTS.find((each) => each.type === start)!;
      const trigger = { id: 'start', type, label: say(`start.${type}` as Key), config, position: { x: 0, y: 0 } };
      return call('POST /workflows', { body: { name, spec: { trigger, nodes: [], edges: [] } } });
    },
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ['workflows'] });
      void navigate({ to: '/w/$workflowId/edit', params: { workflowId: made.id } });
    },
  });
  return (
    <Dialog title={say('workflows.new')} isOpen={isOpen} onClose={onClose} closeLabel={say('app.close')}>
      <form className="flex flex-col gap-4" onSubmit={(event) => { event.preventDefault(); make.mutate(String(new FormData(event.currentTarget).get('name'))); }}>
        {make.isError && <Failed title={say('app.failed')} error={make.error} />}
        <Field label={say('workflows.name')}>{(id) => <Input id={id} name="name" required maxLength={255} autoFocus defaultValue={say('workflows.untitled')} onFocus={(event) => event.target.select()} />}</Field>
        <fieldset>
          <legend className="mb-1.5 text-[13px] font-medium">{say('workflows.start')}</legend>
          <div className="grid grid-cols-2 gap-2">
            {STARTS.map(({ type, icon: Icon }) => (
              <label key={type} className={classes('flex cursor-pointer items-center gap-2.5 rounded-lg border px-3 py-2.5 text-[13px] font-medium has-focus-visible:outline-2 has-focus-visible:outline-accent', start === type ? 'border-accent bg-accent-soft text-accent-text' : 'border-line hover:border-line-strong')}>
                <input type="radio" name="start" className="sr-only" checked={start === type} onChange={() => setStart(type)} />
                <Icon size={17} aria-hidden /> {say(`start.${type}` as Key)}
              </label>
            ))}
          </div>
        </fieldset>
        <div className="flex items-center justify-between">
          <Link to="/templates" className="text-[13px] font-medium text-accent-text hover:underline">{say('workflows.template')}</Link>
          <Button type="submit" look="main" busy={make.isPending}>{say('workflows.create')}</Button>
        </div>
      </form>
    </Dialog>
  );
}
