import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { settle, useSaving } from './saving';

/** Two people changed the same thing: both sides, and the choice. */
export function ConflictDialog() {
  const { say } = useWords();
  const conflict = useSaving((state) => state.conflict);
  return (
    <Dialog title={say('save.conflict')} about={say('save.conflictAbout')} isOpen={conflict !== null} onClose={() => settle('mine')} closeLabel={say('save.keepMine')}>
      <ul className="mb-4 max-h-60 overflow-y-auto rounded-lg border border-line bg-sunk p-3 font-mono text-xs">
        {conflict?.merged.conflicts.map((each) => <li key={each}>{each}</li>)}
      </ul>
      <div className="flex justify-end gap-2">
        <Button onClick={() => settle('theirs')}>{say('save.takeTheirs')}</Button>
        <Button look="main" onClick={() => settle('mine')}>{say('save.keepMine')}</Button>
      </div>
    </Dialog>
  );
}
