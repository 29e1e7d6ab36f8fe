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

test('an error keeps its cause', () => {
  const [line] = logged((log) => log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed'));
  expect(JSON.stringify(line)).toContain('inner');
});

test('what lies below the level is left out', () => {
  expect(logged((log) => log.info('x'), 'warn')).toEqual([]);
});
