import { useQuery } from '@tanstack/react-query';
import { output } from '../api/queries';
import { useWords } from '../i18n';
import { Failed, Loading } from '../kit/Page';
import { JsonView } from '../kit/JsonView';

/** What a step said: the first page of it. */
export function Output({ executionId, nodeKey, seq }: { executionId: string; nodeKey: string; seq: number }) {
  const { say } = useWords();
  const found = useQuery({ ...output(executionId, nodeKey, seq), placeholderData: (before) => before });
  if (found.isPending) return <Loading label={say('app.loading')} />;
  if (found.isError) return <Failed title={say('app.failed')} error={found.error} />;
  return (
    <section>
      <h3 className="mb-1.5 text-xs font-medium text-faint">{say('execution.output')}</h3>
      <JsonView value={found.data.output} label={say('execution.output')} />
    </section>
  );
}
