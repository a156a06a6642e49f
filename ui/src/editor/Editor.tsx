import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ReactFlowProvider } from '@xyflow/react';
import { useEffect, useState } from 'react';
import { toast } from 'sonner';
import { useElsewhere } from '../api/elsewhere';
import { nodeTypes, queries, workflow } from '../api/queries';
import { hideRun, showRun } from '../canvas/runs';
import { setNodeTypes } from '../canvas/shapes';
import type { Spec } from '../graph/spec';
import { useWords } from '../i18n';
import { Failed, Loading, Page } from '../kit/Page';
import { Board } from './Board';
import { ConflictDialog } from './ConflictDialog';
import { fetchCode } from './Expression';
import { watchProblems } from './problems';
import { useStaleMarks } from './panel/source';
import { openDraft, useSaving } from './saving';

/** The editor of one workflow: reads it, and keeps it saved until one leaves. */
export function Editor() {
  const { workflowId } = useParams({ from: '/inside/w/$workflowId/edit' });
  return (
    <ReactFlowProvider key={workflowId}>
      <Opened id={workflowId} />
    </ReactFlowProvider>
  );
}

function Opened({ id }: { id: string }) {
  const { say } = useWords();
  const { exec } = useSearch({ from: '/inside/w/$workflowId/edit' });
  const navigate = useNavigate();
  const types = useQuery(nodeTypes);
  const found = useQuery({ ...workflow(id), staleTime: Infinity, gcTime: 0, refetchOnWindowFocus: false });
  const news = useSaving((state) => state.news);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    if (!types.data || !found.data) return;
    setNodeTypes(types.data);
    const close = openDraft(id, found.data.name, found.data.spec as unknown as Spec, found.data.revision);
    const unwatch = watchProblems();
    setOpen(true);
    fetchCode(); // before the server may be away
    return () => {
      unwatch();
      close();
      setOpen(false);
      void queries.invalidateQueries({ queryKey: ['workflows'] });
    };
    // Opened once: what comes later goes through saving, which merges.
    // eslint-disable-next-line
  }, [id, types.isSuccess, found.isSuccess]);
  useEffect(() => {
    if (!news) return;
    toast(say(news === 'merged' ? 'save.merged' : 'save.restored'));
    useSaving.setState({ news: '' });
  }, [news, say]);
  useEffect(() => {
    if (exec) showRun(exec);
    else hideRun();
  }, [exec]);
  useEffect(() => hideRun, []);
  useStaleMarks();
  const failed = types.error ?? found.error;
  const others = useElsewhere(failed);
  if (failed) return <Page title={say('nav.workflows')}><Failed title={say('app.failed')} error={failed} others={others} othersLabel={say('workspaces.elsewhere')} againLabel={say('app.again')} again={() => { void types.refetch(); void found.refetch(); }} /></Page>;
  if (!isOpen || !found.data) return <Loading label={say('app.loading')} />;
  return (
    <>
      <Board workflow={found.data} onRun={(executionId) => void navigate({ to: '/w/$workflowId/edit', params: { workflowId: id }, search: (before) => ({ ...before, exec: executionId }), replace: true })} />
      <ConflictDialog />
    </>
  );
}
