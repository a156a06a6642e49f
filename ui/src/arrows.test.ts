import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { en } from './i18n/en';
import { fr } from './i18n/fr';
import { sw } from './i18n/sw';

const ROOT = resolve(__dirname);
const MAY: Record<string, string[]> = {
  graph: [], kit: [], i18n: [], api: [], forms: ['api', 'kit', 'i18n'], canvas: ['api', 'graph', 'kit', 'i18n'],
  editor: ['canvas', 'forms', 'api', 'graph', 'kit', 'i18n'], pages: ['canvas', 'forms', 'api', 'graph', 'kit', 'i18n'],
};
const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((each) => /\.tsx?$/.test(each) && !each.includes('.test.') && !each.includes('.gen.'));

it('each room leans only on the rooms below it', () => {
  const wrong: string[] = [];
  for (const file of files) {
    const room = file.split('/')[0]!;
    for (const [, target] of readFileSync(join(ROOT, file), 'utf8').matchAll(/from '(\.[^']+)'/g)) {
      const other = relative(ROOT, resolve(ROOT, dirname(file), target!)).split('/')[0]!;
      if (room in MAY && other !== room && !MAY[room]!.includes(other)) wrong.push(`${file} -> ${other}`);
    }
  }
  expect(wrong).toEqual([]);
});

it('no file is longer than 300 lines', () => {
  expect(files.filter((each) => !each.startsWith('i18n') && readFileSync(join(ROOT, each), 'utf8').split('\n').length > 301)).toEqual([]);
});

it('every language says everything, with the same values', () => {
  const values = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((each) => each[1]).sort();
  for (const other of [fr, sw]) {
    expect(Object.keys(other)).toEqual(Object.keys(en));
    for (const key of Object.keys(en) as (keyof typeof en)[]) expect([key, values(other[key])]).toEqual([key, values(en[key])]);
  }
});
