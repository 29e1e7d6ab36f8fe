import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './tracked.ts';

type Dashboard = { panels: { title: string; targets?: { expr: string }[] }[] };

const folder = join(root, 'deploy', 'grafana', 'dashboards');
const panels = readdirSync(folder).flatMap((file) => (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Dashboard).panels);
const told = metricsOf(readFileSync(join(root, 'libs', 'telemetry', 'src', 'metrics.ts'), 'utf8'));

test('every number that a dashboard asks for is one that the services tell', () => {
  const asked = panels.flatMap(({ title, targets = [] }) => targets.flatMap(({ expr }) => namesIn(expr).map((name) => ({ title, name }))));
  expect(asked.length).toBeGreaterThan(15);
  expect(asked.filter(({ name }) => !told.has(name))).toEqual([]);
});

test('every number that the services tell is on a dashboard', () => {
  const shown = new Set(panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => namesIn(expr))));
  expect([...told].filter((name) => !shown.has(name))).toEqual([]);
});

test('every number that an alert asks for is one that the services tell', () => {
  const rules = readFileSync(join(root, 'deploy', 'prometheus', 'rules.yaml'), 'utf8');
  const asked = namesIn(rules.replaceAll(/^.*(?:#|record:).*$/gm, '').replaceAll(/yunshi:\w+:\w+/g, ''));
  expect(asked.length).toBeGreaterThan(15);
  expect(asked.filter((name) => !told.has(name) && !labels.has(name))).toEqual([]);
});

/** Labels begin as metrics do. */
const labels = new Set(['yunshi_source', 'yunshi_channel', 'yunshi_reconciliation', 'messaging_consumer_group_name']);

/** The names as Prometheus has them: dots become underscores, and the unit a suffix. */
function metricsOf(source: string): Set<string> {
  const declared = source.matchAll(/\b(histogram|counter|tally|gauge)\(\s*'([a-z._]+)',\s*'([^']+)'/g);
  return new Set([...declared].map(([, , name = '', unit = '']) => name.replaceAll('.', '_') + (unit === 's' ? '_seconds' : '')));
}

function namesIn(expr: string): string[] {
  const withoutLabels = expr.replace(/\bby \([^)]*\)/g, '').replace(/\{[^}]*\}/g, '');
  const words = withoutLabels.match(/\b(?:yunshi|http|messaging)_[a-z_]+/g) ?? [];
  return words.map((word) => word.replace(/_(?:bucket|count|sum|total)$/, ''));
}
