import { fileURLToPath } from 'node:url';
import { connect, neverWholeTables } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import type { AccountId, AttemptId, OrderId, ProviderId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { explaining } from '@yunshi/testing/plans';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ledgerBook } from './balances.ts';
import { closings, postingRows, rowsOfEntry } from './entries.ts';
import * as ledger from './ledger.ts';

const database = await testDatabase('payment');
await migrate(database.url, [{ name: 'payment', path: fileURLToPath(new URL('../../migrations', import.meta.url)) }]);
const sql = connect({ url: database.url, name: 'ledger', connectionsMax: 4, planning: neverWholeTables });
const book = ledgerBook(sql);
afterAll(() => sql.end());

const noon = new Date('2026-03-01T04:00:00Z');
const minutes = (count: number): Date => new Date(noon.getTime() + count * 60_000);
const provider = 'prv_1' as ProviderId;
const payable = `provider_payable:${provider}` as const;
const purchase = (nth: number, at: Date) => {
  const cause = { orderId: `ord_${nth}` as OrderId, accountId: `acc_${nth % 100}` as AccountId, providerId: provider, at };
  return [
    ledger.receipt(`pat_${nth}` as AttemptId, { ...cause, amount: 1_000, channel: 'wechat_native' }),
    ledger.sale({ ...cause, amount: 1_000 }),
  ];
};
const post = (entries: readonly ledger.Entry[]) => postingRows.save(sql, entries.flatMap(rowsOfEntry));
const close = (through: Date) => closings.save(sql, [{ ledger: 'ledger', through }]);

const PURCHASES = 4_000;
beforeAll(async () => {
  await post(Array.from({ length: PURCHASES }, (_, nth) => purchase(nth, minutes(nth / 20))).flat());
  await sql`analyze ledger_postings`;
});

test('a balance is the same whether its hours are closed or not, and so is the sum of everything', async () => {
  const clearing = 'channel_clearing:wechat_native';
  const wanted = new Map([
    [clearing, PURCHASES * 1_000],
    [payable, -PURCHASES * 900],
  ]);
  for (const through of [undefined, minutes(60), minutes(90), minutes(90), minutes(600)]) {
    if (through) await close(through);
    expect(await book.balancesOf([clearing, payable])).toEqual(wanted);
    const { sum, balances } = await book.check();
    expect(sum).toBe(0);
    expect(balances.map(({ account, balance }) => [account, balance])).toEqual([
      ['buyer_funds', 0],
      ['channel_clearing', PURCHASES * 1_000],
      ['platform_fee', -PURCHASES * 100],
      ['provider_payable', -PURCHASES * 900],
    ]);
    expect(await book.audit()).toEqual({ sum: 0, unbalancedEntries: [], wrongBalances: [] });
  }
});

test('nothing can be posted into an hour that is closed, nor is anything closed over what is on its way', async () => {
  await close(minutes(660));
  await expect(post(purchase(900_001, minutes(659)))).rejects.toThrow('closed for');
  const late = await sql.reserve();
  await late`begin`;
  await postingRows.save(late, purchase(900_002, minutes(661)).flatMap(rowsOfEntry));
  const closed = close(minutes(720));
  const first = await Promise.race([closed.then(() => 'closed'), new Promise((resolve) => setTimeout(resolve, 200, 'waits'))]);
  expect(first).toBe('waits');
  await late`commit`;
  late.release();
  await closed;
  expect(await book.balancesOf([payable])).toEqual(new Map([[payable, -(PURCHASES + 1) * 900]]));
  expect(await book.audit()).toMatchObject({ wrongBalances: [] });
});

test('an audit finds an account whose stored balance is wrong', async () => {
  await sql`update ledger_balances set debit = debit + 1 where account = ${payable}`;
  expect(await book.audit()).toMatchObject({ wrongBalances: [payable] });
  await sql`update ledger_balances set debit = debit - 1 where account = ${payable}`;
});

test('a balance reads the closing and what was posted since, not the postings before', async () => {
  const plans: unknown[] = [];
  const explained = explaining(sql);
  const recording = ((strings: TemplateStringsArray, ...values: never[]) =>
    explained(strings, ...values).then((rows) => {
      plans.push(rows);
      return [];
    })) as unknown as typeof sql;
  await ledgerBook(recording).balancesOf([payable]);
  const plan = JSON.stringify(plans);
  expect(plan).toContain('ledger_postings_of_account');
  expect(plan).not.toContain('Seq Scan');
});
