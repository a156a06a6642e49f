import { useQuery } from '@tanstack/react-query';
import { Problem } from './client';
import { workspaces } from './queries';
import { addressIn, session, workspace } from './session';

/** Where else to look for what is not here: the address that is shown, in each other workspace. */
export function useElsewhere(error: unknown): { name: string; href: string }[] {
  const isMissing = error instanceof Problem && error.status === 404;
  const { data } = useQuery({ ...workspaces, enabled: isMissing });
  const here = workspace() || session()?.user.workspace_id;
  return isMissing ? (data ?? []).filter((each) => each.id !== here).map((each) => ({ name: each.name, href: addressIn(each.id) })) : [];
}
