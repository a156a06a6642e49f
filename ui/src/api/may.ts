import { useQuery } from '@tanstack/react-query';
import { me } from './queries';

/** Ask what whoever is signed in may do here: `may('workflow.create')`. Nothing, until that is known. */
export function useMay(): (permission: string) => boolean {
  const { data } = useQuery(me);
  return (permission) => data?.permissions.includes(permission) ?? false;
}
