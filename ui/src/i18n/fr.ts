import type { Key } from './en';

export const fr: Partial<Record<Key, string>> = {};
