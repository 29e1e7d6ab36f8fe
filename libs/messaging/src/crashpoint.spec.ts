import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { crashpoint, lineOf, type Crash } from './crashpoint.ts';

const module = fileURLToPath(new URL('./crashpoint.ts', import.meta.url));
/** Comes by one point three times, by a call of each kind, and by a point after a message was sent. */
const program = `
  const { crashpoint, crashpointInFlight } = await import(${JSON.stringify(module)});
  for (const pass of [1, 2, 3]) { crashpoint('relay.before-publish'); console.log('passed', pass); }
  crashpoint('call.before', 'one kind');
  crashpoint('call.before', 'another');
  console.log('called');
  setTimeout(() => console.log('sent'), 0);
  crashpointInFlight('relay.after-publish');
  setTimeout(() => console.log('came too late'), 500);
`;

function run(crashes: readonly Crash[], env: Readonly<Record<string, string>> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'yunshi-crashpoint-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const plan = join(dir, 'plan');
  writeFileSync(plan, crashes.map(lineOf).join('\n'));
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, CRASH_AT: plan, NODE_ENV: 'test', ...env },
    encoding: 'utf8',
  });
  return { signal, said: stdout.split('\n').filter(Boolean), left: readFileSync(plan, 'utf8').split('\n').filter(Boolean) };
}

test('a process ends at the point that is named, the time that is named, and only the lines it has not come by are left', () => {
  const { signal, said, left } = run([
    { point: 'relay.before-publish', nth: 2 },
    { point: 'saga.begun', nth: 1 },
  ]);
  expect({ signal, said, left }).toEqual({ signal: 'SIGKILL', said: ['passed 1'], left: ['saga.begun 1'] });
});

test('calls of different kinds are told apart', () => {
  const { signal, said, left } = run([
    { point: 'call.before', of: 'another', nth: 1 },
    { point: 'call.before', of: 'one kind', nth: 2 },
  ]);
  expect({ signal, said: said.at(-1), left }).toEqual({ signal: 'SIGKILL', said: 'passed 3', left: ['call.before 2 one kind'] });
});

test('what was sent before a point leaves the process, and nothing that comes later is done', () => {
  const { signal, said } = run([{ point: 'relay.after-publish', nth: 1 }]);
  expect({ signal, said: said.slice(-2) }).toEqual({ signal: 'SIGKILL', said: ['called', 'sent'] });
});

test('in production no process ends itself', () => {
  const crashes: readonly Crash[] = [{ point: 'relay.before-publish', nth: 1 }];
  const { signal, left } = run(crashes, { NODE_ENV: 'production' });
  expect({ signal, left }).toEqual({ signal: null, left: crashes.map(lineOf) });
});

test('a point that is not registered does not compile', () => {
  // @ts-expect-error nobody has registered it
  expect(() => crashpoint('relay.somewhere')).not.toThrow();
});
