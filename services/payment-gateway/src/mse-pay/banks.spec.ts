import { expect, test } from 'vitest';
import { BankCode } from '@yunshi/kernel/banks';
import type { Exchange } from './client.ts';
import { msePayBanks } from './banks.ts';

const noon = new Date('2026-03-02T12:00:00+08:00').getTime();
const open = (bank_sname: string, more: object = {}) => ({ bank_sname, bank_name: bank_sname, under_maintenance: false, ...more });

/** The channel's answers one after the other, and a clock that can be moved. */
function asked(...answers: readonly Exchange[]) {
  const targets: string[] = [];
  let nowMs = noon;
  const client = {
    exchange: ({ target }: { readonly target: string }) => {
      targets.push(target);
      return Promise.resolve(answers[targets.length - 1] ?? ({ kind: 'unknown', why: 'silence' } as const));
    },
  };
  return { banks: msePayBanks(client, { now: () => new Date(nowMs) }), targets, pass: (ms: number) => (nowMs += ms) };
}
const told = (...body: readonly object[]): Exchange => ({ kind: 'done', body });
const openOnes = ({ banks }: Awaited<ReturnType<ReturnType<typeof msePayBanks>>>) =>
  banks.filter(({ isOpen }) => isOpen).map(({ code }) => code);

test('what the channel says counts: its reason, its quota, and what it leaves out', async () => {
  const maintenance = { under_maintenance: true, maintenance_info: '系统维护至22:00' };
  const { banks, targets } = asked(told(open('ICBC', { quota: '500000000' }), open('CMB', maintenance), open('ELSEWHERE')));
  const now = await banks('200000000001');
  expect(openOnes(now)).toEqual(['ICBC']);
  expect(now.banks.find(({ code }) => code === 'ICBC')).toMatchObject({ quota: 500_000_000 });
  expect(now.banks.find(({ code }) => code === 'CMB')).toMatchObject({ isOpen: false, closedBecause: '系统维护至22:00' });
  expect(targets).toEqual(['/v3/mse-pay/bank/support_banks?ent_id=200000000001']);
});

test('it is asked once a minute for each payee', async () => {
  const { banks, targets, pass } = asked(told(open('ICBC')), told(open('CMB')), told(open('ABC')));
  await banks('1');
  pass(59_000);
  expect(openOnes(await banks('1'))).toEqual(['ICBC']);
  expect(openOnes(await banks('2'))).toEqual(['CMB']);
  pass(1_000);
  expect(openOnes(await banks('1'))).toEqual(['ABC']);
  expect(targets).toHaveLength(3);
});

test('while it does not answer, what it said last counts for an hour; then, and before it has said anything, all are taken for open', async () => {
  const { banks, pass } = asked(told(open('ICBC')));
  expect(openOnes(await banks('1'))).toEqual(['ICBC']);
  pass(3_599_000);
  expect(openOnes(await banks('1'))).toEqual(['ICBC']);
  pass(1_000);
  expect(await banks('1')).toMatchObject({ asOf: null });
  expect(openOnes(await banks('2'))).toEqual(BankCode.options);
});
