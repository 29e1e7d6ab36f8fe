import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createLog } from './log.ts';

function logged(write: (log: ReturnType<typeof createLog>) => void, level = 'info'): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLog({ service: 'order', level, to: { write: (line) => lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('a line says which service, how grave, when and what', () => {
  const [line] = logged((log) => log.warn({ order_id: 'ord_1' }, 'late'));
  expect(line).toMatchObject({ service: 'order', level: 'warn', order_id: 'ord_1', msg: 'late' });
  expect(line!['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
});

test.for(['authorization', 'openid', 'secretKey', 'password', 'token', 'signature', 'accountNumber', 'account_number'])(
  '%s never reaches the log, however deep it lies within two levels',
  (name) => {
    const lines = logged((log) => log.info({ [name]: 'xyzzy', a: { [name]: 'xyzzy', b: { [name]: 'xyzzy' } } }, 'x'));
    expect(JSON.stringify(lines)).not.toContain('xyzzy');
    expect(lines[0]![name]).toBe('[redacted]');
  },
);

test('nor does what an error carries, or a list', () => {
  const lines = logged((log) =>
    log.info({ err: Object.assign(new Error('x'), { headers: { token: 'xyzzy' } }), many: [{ secret: 'xyzzy' }, 1] }),
  );
  expect(JSON.stringify(lines)).not.toContain('xyzzy');
  expect(lines[0]!['many']).toEqual([{ secret: '[redacted]' }, 1]);
});

test('what is logged stays as it is', () => {
  const fields = { headers: { authorization: 'xyzzy' } };
  logged((log) => log.info(fields));
  expect(fields).toEqual({ headers: { authorization: 'xyzzy' } });
});

test.for(['process.exit(3)', 'throw new Error()', ''])('every line is written, although the process ends at once: %s', (end) => {
  const program = `
    const { createLog } = await import(${JSON.stringify(new URL('./log.ts', import.meta.url).href)});
    const log = createLog({ service: 'order' });
    for (let nth = 0; nth < 100; nth++) log.info({ nth }, 'x');
    ${end}`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { nth: number }).nth),
  ).toEqual(Array.from({ length: 100 }, (_, nth) => nth));
});

test('an error keeps its cause', () => {
  const [line] = logged((log) => log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed'));
  expect(JSON.stringify(line)).toContain('inner');
});

test('what lies below the level is left out', () => {
  expect(logged((log) => log.info('x'), 'warn')).toEqual([]);
});
