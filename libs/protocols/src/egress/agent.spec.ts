import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { guardedAgent } from './agent.ts';

const server = createServer((_, response) => void response.end('inside'));
let host = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const asked = (url: string, agent: ReturnType<typeof guardedAgent>): Promise<string> =>
  new Promise((resolve) => {
    try {
      get(url, { agent }, (response) => response.setEncoding('utf8').on('data', resolve)).on('error', ({ message }) => resolve(message));
    } catch (error) {
      resolve(error instanceof Error ? error.message : String(error));
    }
  });

test('an agent for one host connects to that host and to no other, whatever it is asked for', async () => {
  const agent = guardedAgent(`http://${host}`, { development: true, allowed: [host] });
  expect(await asked(`http://${host}/`, agent)).toBe('inside');
  expect(await asked('http://169.254.169.254/latest/meta-data', agent)).toContain('was not approved');
  expect(await asked('http://localhost/', agent)).toContain('was not approved');
});

test.each(['http://api.example.com', 'https://10.0.0.1', 'https://localhost'])('there is no agent for %s', (url) => {
  expect(() => guardedAgent(url, { development: false, allowed: [] })).toThrow('is refused');
});
