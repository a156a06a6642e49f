import { useState } from 'react';
import { typeOf } from '../../canvas/shapes';
import { fieldsOf, valueOf, withValue, type FormField } from '../../graph/form';
import type { CardNode } from '../../graph/spec';
import { useWords } from '../../i18n';
import { classes } from '../../kit/classes';
import { FieldInput } from '../FieldInput';
import { useProblems, type Found } from '../problems';
import { patchNode } from '../store';

/** The fields of a step, those that matter first. */
export function Parameters({ node }: { node: CardNode }) {
  const { say } = useWords();
  const { spec } = node.data;
  const type = typeOf(spec.type);
  const config = spec.config ?? {};
  const [began] = useState(config); // which fields come first does not change while one types
  const [isMore, setMore] = useState(false);
  const problems = useProblems((state) => state.list).filter((each) => each.nodeId === node.id);
  const fields = fieldsOf(type?.parameters ?? {}, began, type?.example);
  if (!fields.length) return <p className="text-[13px] text-faint">{say('panel.none')}</p>;
  const draw = (each: (typeof fields)[number]) => (
    <FieldInput key={each.name} field={each} isLogic={type?.group === 'logic'} value={valueOf(each, config)} error={problems.find((problem) => isAbout(problem, each))?.message}
      onChange={(value) => patchNode(node.id, { config: withValue(each, spec.config ?? {}, value) }, `config.${each.name}`)} />
  );
  const others = fields.filter((each) => !each.isFirst);
  const loose = problems.filter((each) => !fields.some((field) => isAbout(each, field)));
  return (
    <>
      {loose.map((each) => <p key={each.path + each.code} className={classes('rounded-lg px-3 py-2 text-[13px]', each.severity === 'warning' ? 'bg-warn-soft text-warn' : 'bg-bad-soft text-bad')}>{each.message}</p>)}
      {fields.filter((each) => each.isFirst).map(draw)}
      {others.length > 0 && (
        <details open={isMore} onToggle={(event) => setMore(event.currentTarget.open)}>
          <summary className="text-[13px] font-medium text-accent-text">{say('panel.more')} ({others.length})</summary>
          {isMore && <div className="mt-4 flex flex-col gap-4">{others.map(draw)}</div>}
        </details>
      )}
    </>
  );
}

/** Whether a problem is about a field: by its path, or by name where something is missing. */
function isAbout(problem: Found, field: FormField): boolean {
  return [field.name, ...field.aliases].some((name) => new RegExp(`\\.config\\.${name}\\b`).test(problem.path) || (problem.path.endsWith('.config') && problem.message.includes(`"${name}"`)));
}
