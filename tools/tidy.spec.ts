import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { read, tidyRules } from './tidy.ts';
import { isFixture, root, trackedFiles } from './tracked.ts';

const fixtures = join(root, 'tools', 'fixtures', 'violations', 'tidy');
const files = trackedFiles()
  .filter((file) => !isFixture(file))
  .map((path) => read(path, readFileSync(join(root, path), 'utf8')));

test.each(tidyRules)('$name: $why', ({ check }) => {
  expect(files.flatMap((file) => check(file).map(({ line, what }) => `${file.path}:${line} ${what}`))).toEqual([]);
});

test('the rules have seen the repository', () => {
  expect(files.filter(({ tree }) => tree).length).toBeGreaterThan(100);
});

test.each(tidyRules.map(({ name }) => name))('the rule %s refuses its fixture', (name) => {
  const base = join(fixtures, name);
  const broken = readdirSync(base, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.\w+$/.test(path))
    .map((path) => read(path.replaceAll('\\', '/').replace(/\.fixture$/, ''), readFileSync(join(base, path), 'utf8')))
    .flatMap((file) => tidyRules.filter(({ check }) => check(file).length > 0).map((rule) => rule.name));
  expect(new Set(broken)).toEqual(new Set([name]));
});
