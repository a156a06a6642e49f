import type { Key } from './en';

export const sw: Partial<Record<Key, string>> = {};
