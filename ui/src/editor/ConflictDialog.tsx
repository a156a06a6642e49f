import { useState } from 'react';
import type { Conflict, Side } from '../graph/merge';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { classes } from '../kit/classes';
import { Dialog } from '../kit/Dialog';
import { nameOf } from './actions';
import { settle, useSaving } from './saving';

/** Where a change is, as people call it: the step's name, then the field. */
function placeOf(path: string): string {
  const [what, id, ...rest] = path.split('.');
  return what === 'nodes' && id ? [nameOf(id), rest.filter((each) => each !== 'config').join(' · ')].filter(Boolean).join(' · ') : path.replaceAll('.', ' · ');
}

/** Two people changed the same thing: both sides of each, and the choice. */
export function ConflictDialog() {
  const { say } = useWords();
  const conflict = useSaving((state) => state.conflict);
  const [choices, setChoices] = useState<Record<string, Side>>({});
  const list = conflict?.merged.conflicts ?? [];
  const done = (all?: Side) => {
    settle(all ? Object.fromEntries(list.map((each) => [each.path, all])) : choices);
    setChoices({});
  };
  return (
    <Dialog title={say('save.conflict')} about={say('save.conflictAbout')} isOpen={conflict !== null} onClose={() => done('mine')} closeLabel={say('save.keepMine')} isWide>
      <ul className="mb-4 flex max-h-[46vh] flex-col gap-3 overflow-y-auto">
        {list.map((each) => <Choice key={each.path} conflict={each} side={choices[each.path] ?? 'mine'} onChoose={(side) => setChoices({ ...choices, [each.path]: side })} />)}
      </ul>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={() => done('theirs')}>{say('save.takeTheirs')}</Button>
        <Button onClick={() => done('mine')}>{say('save.keepMine')}</Button>
        <Button look="main" onClick={() => done()}>{say('save.settle')}</Button>
      </div>
    </Dialog>
  );
}

function Choice({ conflict, side, onChoose }: { conflict: Conflict; side: Side; onChoose: (side: Side) => void }) {
  const { say } = useWords();
  const text = (value: unknown) => (value === undefined ? say('save.gone') : typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  return (
    <li>
      <fieldset>
        <legend className="mb-1 text-xs font-semibold text-soft">{placeOf(conflict.path)}</legend>
        <div className="grid gap-2 sm:grid-cols-2">
          {(['mine', 'theirs'] as const).map((each) => (
            <label key={each} className={classes('flex cursor-pointer items-start gap-2 rounded-lg border p-2.5 text-[13px]', side === each ? 'border-accent bg-accent-soft' : 'border-line')}>
              <input type="radio" name={conflict.path} checked={side === each} onChange={() => onChoose(each)} className="mt-0.5" />
              <span className="min-w-0">
                <span className="block text-xs text-soft">{say(`save.${each}`)}</span>
                <span className="block max-h-32 overflow-y-auto font-mono text-xs break-words whitespace-pre-wrap">{text(conflict[each])}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
    </li>
  );
}
