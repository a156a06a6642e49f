import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { toast } from 'sonner';
import { call, Problem } from '../api/client';
import { me, queries } from '../api/queries';
import { enterWorkspace } from '../api/session';
import { useWords, worded } from '../i18n';
import { Button } from '../kit/Button';
import { Dialog } from '../kit/Dialog';

/** Asks, and leaves; where that cannot be, says why and what to do instead. */
export function Leave({ workspace, onClose }: { workspace: { id: string; name: string }; onClose: () => void }) {
  const { say } = useWords();
  const { data: own } = useQuery(me);
  const leave = useMutation({
    mutationFn: () => call('POST /members/leave', { workspace: workspace.id }),
    onSuccess: () => {
      if (own?.workspace_id === workspace.id) return enterWorkspace('');
      toast(say('workspaces.left', { name: workspace.name }));
      onClose();
      void queries.invalidateQueries({ queryKey: ['workspaces'] });
    },
  });
  const code = leave.error instanceof Problem ? leave.error.code : '';
  return (
    <Dialog title={say('workspaces.leaveTitle', { name: workspace.name })} about={say('workspaces.leaveAbout')} isOpen onClose={onClose} closeLabel={say('app.close')}>
      {leave.error && (
        <p role="alert" className="mb-4 rounded-lg bg-bad-soft px-3 py-2 text-[13px] text-bad">
          {worded(say, `workspaces.not.${code}`, leave.error.message)}
          {code === 'workspace.last_owner' && own?.workspace_id === workspace.id && <> <Link to="/admin/members" onClick={onClose} className="font-medium underline">{say('settings.members')}</Link></>}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{say('app.cancel')}</Button>
        <Button look="danger" busy={leave.isPending} onClick={() => leave.mutate()}>{say('workspaces.leave')}</Button>
      </div>
    </Dialog>
  );
}
