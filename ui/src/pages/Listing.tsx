import { useMutation, type UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { toast } from 'sonner';
import { queries } from '../api/queries';
import { useWords } from '../i18n';
import { Failed, Loading } from '../kit/Page';

type Found<T> = Pick<UseQueryResult<T>, 'isPending' | 'isError' | 'error' | 'data' | 'refetch'>;

/** What a question was answered with; until then that it loads, or why it failed. */
export function Listing<T>({ found, children }: { found: Found<T>; children: (data: T) => ReactNode }) {
  const { say } = useWords();
  if (found.isError) return <Failed title={say('app.failed')} error={found.error} again={() => void found.refetch()} againLabel={say('app.again')} />;
  if (found.isPending) return <Loading label={say('app.loading')} />;
  return children(found.data as T);
}

/** Something that one does and that may fail: says so, and asks again for what it changed. */
export function useAct<In = void, Out = unknown>(work: (what: In) => Promise<Out>, changes: string[], done?: (found: Out, what: In) => void) {
  return useMutation({
    mutationFn: work,
    onSuccess: (found, what) => {
      for (const each of changes) void queries.invalidateQueries({ queryKey: [each] });
      done?.(found, what);
    },
    onError: (error: Error) => void toast.error(error.message),
  });
}
