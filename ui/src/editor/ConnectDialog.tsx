import { useState } from 'react';
import { shapeOf } from '../canvas/shapes';
import { outputsOf, whyNot } from '../graph/spec';
import { useWords } from '../i18n';
import { Button } from '../kit/Button';
import { Choice, Field } from '../kit/Field';
import { Dialog } from '../kit/Dialog';
import { connect, useEditor } from './store';

/** Connects by keyboard what others connect by drawing a line. */
export function ConnectDialog({ from, onClose, onDone }: { from: string; onClose: () => void; onDone: (to: string) => void }) {
  const { say } = useWords();
  const { nodes, edges } = useEditor();
  const source = nodes.find((each) => each.id === from);
  const outputs = source ? outputsOf(source.data.spec, shapeOf(source.data.spec.type)) : [];
  const [chosen, setChosen] = useState('');
  const handle = outputs.includes(chosen) ? chosen : (outputs.find((each) => !edges.some((edge) => edge.source === from && edge.sourceHandle === each)) ?? outputs[0] ?? 'out');
  const name = (id: string) => nodes.find((each) => each.id === id)?.data.spec.label || id;
  const targets = nodes.filter((each) => whyNot({ nodes, edges }, from, each.id, handle, shapeOf) === '');
  return (
    <Dialog title={say('edit.connect')} about={say('edit.connectAbout', { node: name(from) })} isOpen={from !== ''} onClose={onClose} closeLabel={say('app.close')}>
      <div className="flex flex-col gap-3">
        {outputs.length > 1 && <Field label={say('execution.output')}>{(id) => <Choice id={id} value={handle} onChange={(event) => setChosen(event.target.value)}>{outputs.map((each) => <option key={each}>{each}</option>)}</Choice>}</Field>}
        <ul className="flex max-h-80 flex-col gap-1 overflow-y-auto">
          {targets.map((each) => <li key={each.id}><Button className="w-full !justify-start" onClick={() => { connect(from, handle, each.id); onDone(each.id); onClose(); }}>{name(each.id)}</Button></li>)}
          {targets.length === 0 && <li className="text-[13px] text-faint">{say('edit.nothing')}</li>}
        </ul>
      </div>
    </Dialog>
  );
}
