import { fileURLToPath } from 'node:url';
import { connect, neverWholeTables } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import type { AccountId, AttemptId, OrderId, ProviderId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { explaining, planOf } from '@yunshi/testing/plans';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ledgerBook } from './balances.ts';
import { closings, postingRows, rowsOfEntry } from './entries.ts';
import { providerStatements } from '../settlement/statements.ts';
import * as ledger from './ledger.ts';
import { ledgerLines } from './lines.ts';

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
const close = (through: Date, issuedThrough = new Date(0)) => closings.save(sql, [{ ledger: 'ledger', through, issuedThrough }]);
const statements = providerStatements(sql);

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

test('what comes for an hour that is closed is booked in the first open one, and nothing is closed over what is on its way', async () => {
  await close(minutes(660));
  await post(purchase(900_001, minutes(659)));
  const booked = await sql<
    { at: Date }[]
  >`select distinct at from ledger_postings where order_id = ${purchase(900_001, minutes(659))[0]!.orderId}`;
  expect(booked).toEqual([{ at: minutes(660) }]);
  const late = await sql.reserve();
  await late`begin`;
  await postingRows.save(late, purchase(900_002, minutes(661)).flatMap(rowsOfEntry));
  const closed = close(minutes(720));
  const waiting = await until(
    async () => (await sql<{ mode: string }[]>`select mode from pg_locks where locktype = 'advisory' and not granted`)[0],
  );
  expect(waiting).toEqual({ mode: 'ExclusiveLock' });
  await late`commit`;
  late.release();
  await closed;
  expect(await book.balancesOf([payable])).toEqual(new Map([[payable, -(PURCHASES + 2) * 900]]));
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

describe('a buyer’s lines', () => {
  const accountId = 'acc_7' as AccountId;
  const all = { accountId, sort: 'newest', limit: 1_000 } as const;

  test('are what was paid and got back, and only the buyer’s own', async () => {
    const rows = await ledgerLines(sql).find(all);
    expect(rows).toHaveLength(PURCHASES / 100);
    expect(new Set(rows.map((row) => `${row.kind} ${row.account} ${row.accountId} ${row.amount}`))).toEqual(
      new Set([`receipt channel_clearing:wechat_native ${accountId} 1000`]),
    );
  });

  test.each(['newest', 'oldest'] as const)('come page by page, the %s first, none twice and none left out', async (sort) => {
    const lines = ledgerLines(sql);
    const whole = await lines.find({ ...all, sort });
    const paged: typeof whole = [];
    for (;;) {
      const last = paged.at(-1);
      const page = await lines.find({ ...all, sort, limit: 7, after: last && { at: last.at, postingId: last.postingId } });
      if (page.length === 0) break;
      paged.push(...page);
    }
    expect(paged).toEqual(whole);
    expect(whole.map(({ at }) => at.getTime())).toEqual(
      whole.map(({ at }) => at.getTime()).toSorted((a, b) => (sort === 'newest' ? b - a : a - b)),
    );
  });

  test.each([
    ['of a buyer', { ...all, limit: 5 }, 'ledger_postings_of_buyer'],
    ['of everybody, for an operator', { sort: 'newest', limit: 21 }, 'ledger_postings_by_time'],
  ] as const)('%s are read from an index, in its order', async (_, search, index) => {
    const plan = await planOf(Promise.resolve(ledgerLines(explaining(sql)).find(search)));
    expect(plan).toContain(`"Index Name":"${index}"`);
    expect(plan).not.toContain('"Sort"');
    expect(plan).not.toContain('Seq Scan');
  });
});

describe('a provider’s statement', () => {
  const seller = 'prv_2' as ProviderId;
  const cause = { accountId: 'acc_1' as AccountId, providerId: seller };
  const [march, april, may] = [new Date('2026-03-20T04:00:00Z'), new Date('2026-04-02T04:00:00Z'), new Date('2026-05-02T04:00:00Z')];
  const sale = (nth: number, amount: number, at: Date) => ledger.sale({ ...cause, orderId: `ord_s${nth}` as OrderId, amount, at });
  const refund = (nth: number, amount: number, commission: number, at: Date) =>
    ledger.refund(
      `RF${nth}`,
      { ...cause, orderId: `ord_s${nth}` as OrderId, amount, channel: 'wechat_native', at },
      { stage: 'earned', commission },
    );

  test('says what the month brought, with refunds as they come, and is final when the month is over', async () => {
    await post([sale(1, 10_000, march), sale(2, 5_005, march), refund(1, 4_000, 400, march)]);
    const wanted = { providerId: seller, month: '2026-03', sales: 2, sold: 15_005, commission: 1_501, refunds: 1, refunded: 4_000 };
    const rest = { commissionBack: 400, released: 0, withdrawn: 0 };
    expect(await statements.list(seller, undefined, 10)).toEqual([{ ...wanted, ...rest, issued: false }]);
    // In China it is April already.
    await close(new Date('2026-03-31T17:00:00Z'));
    await close(new Date('2026-03-31T17:00:00Z'), new Date('2026-03-31T16:00:00Z'));
    expect(await statements.of(seller, '2026-03')).toEqual({ ...wanted, ...rest, issued: true });
    await post([refund(2, 5_005, 501, april), ledger.release({ ...cause, orderId: 'ord_s1' as OrderId, amount: 5_400, at: april })]);
    const withdrawal = { providerId: seller, channel: 'wechat_native', at: april } as const;
    await post([
      ledger.providerWithdrawal('W1', { ...withdrawal, amount: 5_000 }),
      ledger.providerWithdrawalReturned('W1', { ...withdrawal, amount: 1_000 }),
    ]);
    expect(await statements.list(seller, undefined, 10)).toMatchObject([
      {
        month: '2026-04',
        sales: 0,
        sold: 0,
        refunds: 1,
        refunded: 5_005,
        commissionBack: 501,
        released: 5_400,
        withdrawn: 4_000,
        issued: false,
      },
      { ...wanted, issued: true },
    ]);
    expect(await statements.withdrawn(seller)).toBe(4_000);
    await close(may, new Date('2026-04-30T16:00:00Z'));
    expect((await statements.list(seller, '2026-04', 10)).map(({ month, issued }) => [month, issued])).toEqual([['2026-03', true]]);
    expect(await statements.withdrawn(seller)).toBe(4_000);
  });

  test('has one line for each sale and each refund, page by page', async () => {
    const month = { from: new Date('2026-02-28T16:00:00Z'), until: new Date('2026-03-31T16:00:00Z') };
    const found = await statements.lines(seller, { ...month, limit: 10 });
    expect(found.map(({ kind, sold, commission, refunded, commissionBack }) => [kind, sold, commission, refunded, commissionBack])).toEqual(
      [
        ['refund', 0, 0, 4_000, 400],
        ['sale', 10_000, 1_000, 0, 0],
        ['sale', 5_005, 501, 0, 0],
      ],
    );
    const first = await statements.lines(seller, { ...month, limit: 1 });
    const next = await statements.lines(seller, { ...month, limit: 2, after: first[0] });
    expect([...first, ...next]).toEqual(found);
  });

  test('of a month that is not closed is not issued', async () => {
    await close(new Date(0), new Date('2026-06-30T16:00:00Z'));
    const [row] = await sql<{ issued: Date }[]>`select issued_through as issued from ledger_closing`;
    expect(row?.issued).toEqual(new Date('2026-04-30T16:00:00Z'));
  });
});
