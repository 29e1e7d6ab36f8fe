import type { FastifyReply, FastifyRequest } from 'fastify';
import { expect, test } from 'vitest';
import { addressKey, admission } from './admission.ts';

const rate = (requests: number) => ({ requests, seconds: 60 });
const reply = () => {
  const headers: Record<string, string> = {};
  const self = { headers, header: (name: string, value: string) => ((headers[name] = value), self) };
  return self as unknown as FastifyReply & { headers: Record<string, string> };
};
const from = (ip: string, accountId?: string) =>
  ({ ip, verified: accountId === undefined ? null : { caller: { accountId } } }) as unknown as FastifyRequest;

test('an account is counted wherever it comes from, and apart from others', async () => {
  const admit = admission({ account: rate(2), address: rate(100), signIn: rate(100) });
  const first = reply();
  await admit.request(from('192.0.2.1', 'acc_a'), first);
  expect(first.headers).toEqual({ 'ratelimit-policy': '"account";q=2;w=60', ratelimit: '"account";r=1;t=60' });
  await admit.request(from('192.0.2.2', 'acc_a'), reply());
  const over = reply();
  await expect(admit.request(from('192.0.2.3', 'acc_a'), over)).rejects.toMatchObject({
    code: 'too-many-requests',
    options: { headers: { 'retry-after': expect.stringMatching(/^[1-6]?\d$/) } },
  });
  expect(over.headers['ratelimit']).toMatch(/^"account";r=0;t=\d+$/);
  await admit.request(from('192.0.2.3', 'acc_b'), reply());
});

test('without a token the address is counted, and guessing tokens apart from asking', async () => {
  const admit = admission({ account: rate(100), address: rate(1), signIn: rate(1) });
  await admit.request(from('192.0.2.1'), reply());
  await admit.refusedToken(from('192.0.2.1'), reply());
  await expect(admit.request(from('192.0.2.1'), reply())).rejects.toMatchObject({ code: 'too-many-requests' });
  await expect(admit.signIn(from('192.0.2.1'), reply())).rejects.toMatchObject({ code: 'too-many-requests' });
});

test('all addresses of one IPv6 subscriber are one', () => {
  expect(addressKey('192.0.2.1')).toBe('192.0.2.1');
  expect(addressKey('::ffff:192.0.2.1')).toBe('::ffff:192.0.2.1');
  expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe(addressKey('2001:db8:1:2::9'));
  expect(addressKey('2001:db8:1:3::1')).not.toBe(addressKey('2001:db8:1:2::1'));
  expect(addressKey('::1')).toBe('0:0:0:0::/64');
});
