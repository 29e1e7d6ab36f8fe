import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importRules, judgeImports } from './imports.ts';
import { isFixture, root, trackedFiles } from './tracked.ts';

const folders = ['libs', 'services', 'deploy', 'tools'];
const fixtures = join(root, 'tools', 'fixtures', 'violations', 'imports');

test('every import follows the rules, and the checker has seen every source file', async () => {
  const { modules, summary } = await judgeImports(root, folders);
  expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  // A checker that cannot read TypeScript finds nothing wrong either: count what it read.
  const seen = new Set(modules.map(({ source }) => source));
  const sources = trackedFiles().filter((file) => isSource(file) && !isFixture(file));
  expect(sources.filter((file) => !seen.has(file))).toEqual([]);
  expect(sources.length).toBeGreaterThan(100);
}, 120_000);

test.each(importRules.map(({ name }) => name))('the rule %s refuses its fixture', async (name) => {
  const base = join(fixtures, name);
  const { summary } = await judgeImports(base, readdirSync(base));
  expect(summary.violations.map(({ rule }) => rule.name)).toContain(name);
  expect(new Set(summary.violations.map(({ rule }) => rule.name))).toEqual(new Set([name]));
});

function isSource(file: string): boolean {
  return /^(libs|services|deploy|tools)\/.*\.ts$/.test(file) && !/\/fixtures\/|\/migrations\/|^services\/console\//.test(file);
}
