import { useState } from 'react';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';
import { Area, Field } from '../kit/Field';
import { useEditor } from './store';

const KEY = 'linkflow.input.';

/** Asks for the input of a run; what was given last time is there again. */
export function InputDialog({ isOpen, onClose, onRun }: { isOpen: boolean; onClose: () => void; onRun: (input: unknown) => void }) {
  const { say } = useWords();
  const id = useEditor((state) => state.workflowId);
  const [text, setText] = useState(() => localStorage.getItem(KEY + id) ?? '{}');
  const [isWrong, setWrong] = useState(false);
  const run = () => {
    try {
      const input: unknown = JSON.parse(text || 'null');
      localStorage.setItem(KEY + id, text);
      setWrong(false);
      onRun(input);
    } catch {
      setWrong(true);
    }
  };
  return (
    <Dialog title={say('edit.inputTitle')} isOpen={isOpen} onClose={onClose} closeLabel={say('app.close')}>
      <Field label={say('execution.input')} hint={say('edit.inputAbout')} error={isWrong ? say('edit.notJson') : undefined}>
        {(field, described) => <Area id={field} aria-describedby={described} aria-invalid={isWrong || undefined} rows={10} spellCheck={false} className="font-mono !text-xs" value={text} onChange={(event) => setText(event.target.value)} />}
      </Field>
      <div className="mt-4 flex justify-end"><Button look="main" onClick={run}>{say('edit.run')}</Button></div>
    </Dialog>
  );
}
