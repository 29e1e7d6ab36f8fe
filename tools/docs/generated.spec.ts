import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { root } from '../tracked.ts';
import { variables } from './config.ts';
import { documents, stale, type Document } from './generated.ts';
import { shapeOf } from './shape.ts';
import { stateDiagram, withStateDiagrams } from './states.ts';

let base: string;
let wanted: readonly Document[];

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'yunshi-docs-'));
  wanted = await documents(root);
  for (const { path } of wanted) cpSync(join(root, path), join(base, path), { recursive: true });
});
afterAll(() => rmSync(base, { recursive: true }));

test('what is made from the code is as the code is now', () => {
  expect(stale(root, wanted)).toEqual([]);
  expect(wanted.map(({ path }) => dirname(path))).toContain('docs/generated');
});

describe('the check refuses', () => {
  test('every document that says something else than the code', () => {
    for (const { path, text } of wanted) {
      writeFileSync(join(base, path), text.replace(/\w+(?=[^\w]*$)/, 'old'));
      expect(stale(base, wanted)).toEqual([path]);
      writeFileSync(join(base, path), text);
    }
    expect(stale(base, wanted)).toEqual([]);
  });

  test('a document that is missing', () => {
    const [gone] = wanted;
    rmSync(join(base, gone!.path));
    expect(stale(base, wanted)).toEqual([gone!.path]);
    writeFileSync(join(base, gone!.path), gone!.text);
  });

  test('a README whose diagram has been changed by hand, and nothing else in it', async () => {
    const path = 'services/order/README.md';
    const readme = readFileSync(join(base, path), 'utf8');
    writeFileSync(join(base, path), readme.replace('pending_payment --> cancelled: cancel', 'pending_payment --> completed: cancel'));
    expect(stale(base, await documents(base))).toEqual([path]);
    writeFileSync(join(base, path), readme.replace(/^# .*$/m, '# another title'));
    expect(stale(base, await documents(base))).toEqual([]);
  });

  test('a README that has no place for its diagram', () => {
    const found = { flow: { name: 'door', table: { open: { shut: 'shut' }, shut: {} } }, service: 'house', file: 'door.ts' };
    expect(() => withStateDiagrams('# house', 'README.md', [found])).toThrow('<!-- generated: flow door -->');
  });

  test('a variable of the environment that nobody explains', () => {
    expect(() => variables('house', z.object({ DOOR: z.string() }))).toThrow('say what DOOR means');
    expect(variables('house', z.object({ DOOR: z.string().describe('Which door') }))).toContain('Which door');
  });
});

test('a diagram begins where nothing leads to and ends where nothing goes on', () => {
  expect(stateDiagram({ 'half-open': { push: 'open', pull: 'half-open' }, open: { shut: 'shut' }, shut: {} })).toBe(
    '```mermaid\nstateDiagram-v2\n  half_open: half-open\n  [*] --> half_open\n  half_open --> open: push\n' +
      '  half_open --> half_open: pull\n  open --> shut: shut\n  shut --> [*]\n```',
  );
});

test('a shape shows what may be left out, which values there are, and the limits', () => {
  const shape = shapeOf(z.object({ id: z.string().max(9).optional(), kind: z.enum(['a', 'b']), rows: z.array(z.int().min(1)).min(1) }));
  expect(shape).toBe("{\n  id?: string /* length ≤ 9 */;\n  kind: 'a' | 'b';\n  rows: integer /* ≥ 1 */[] /* at least 1 */;\n}");
});
