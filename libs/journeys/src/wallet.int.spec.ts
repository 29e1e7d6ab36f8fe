import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoPersonas } from '@yunshi/contracts/demo-world';
import { operator, testIssuer } from '@yunshi/http/testing';
import { UserId } from '@yunshi/kernel/ids';
import { connectBus } from '@yunshi/messaging/bus';
import { moveClock } from '@yunshi/messaging/clock';
import { start as startPayment } from '@yunshi/payment-gateway/app';
import { readConfig as readPaymentConfig } from '@yunshi/payment-gateway/config';
import { numberOf, resealAccounts } from '@yunshi/payment-gateway/wallet/bank-accounts';
import type { BankAccount } from '@yunshi/payment-gateway/wallet/wallet';
import { start as startSandbox } from '@yunshi/sandbox/app';
import { readConfig as readSandboxConfig } from '@yunshi/sandbox/config';
import { ensureKeys, merchantEnvironment } from '@yunshi/sandbox/wechat/keys';
import { vault } from '@yunshi/service/vault';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { afterAll, describe, expect, test } from 'vitest';

/** Account balances in two instances of the payment service, against the sandbox's treasury. */

const database = await testDatabase('payment', 'sandbox');
const nats = await testNats();
const issuer = await testIssuer();
const root = await mkdtemp(join(tmpdir(), 'wallet-'));
await ensureKeys(root, new Date());
const token = randomBytes(16).toString('hex');

const sandbox = await startSandbox(
  readSandboxConfig({
    DATABASE_URL: database.urlOf('sandbox'),
    NATS_URL: nats.url,
    TEST_CLOCK: 'on',
    LOG_LEVEL: 'error',
    NODE_ENV: 'test',
    WECHAT_SANDBOX_KEYS: root,
    BANK_SANDBOX_KEYS: join(root, 'bank'),
    UNIONPAY_SANDBOX_KEYS: join(root, 'unionpay'),
    SANDBOX_PROVIDER_SECRET: randomBytes(16).toString('hex'),
    SANDBOX_TREASURY_TOKEN: token,
  }),
);
const configuration = readPaymentConfig({
  PORT: '0',
  DATABASE_URL: database.url,
  NATS_URL: nats.url,
  AUTH_ISSUER: issuer.issuer,
  AUTH_JWKS_URL: 'http://127.0.0.1/jwks',
  AUTH_AUDIENCE: issuer.audience,
  TEST_CLOCK: 'on',
  SEED: 'demo',
  NODE_ENV: 'test',
  LOG_LEVEL: 'error',
  ...(await merchantEnvironment(root)),
  WECHAT_BASE_URL: sandbox.url,
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  WECHAT_NOTIFY_BASE_URL: 'http://127.0.0.1:1',
  WALLET_PAYOUT_URL: `${sandbox.url}/sandbox/treasury`,
  WALLET_PAYOUT_TOKEN: token,
});
const bus = await connectBus(nats.url, 'test');
const instances = [
  await startPayment(configuration, { auth: issuer.auth }),
  await startPayment(configuration, { auth: issuer.auth }),
] as const;
const [first] = instances;
afterAll(async () => {
  for (const instance of instances) await instance.stop();
  await sandbox.stop();
  await bus.close();
  await rm(root, { recursive: true });
});

const personOf = ({ userId, accountId }: { userId: string; accountId: string }) =>
  ({ ...operator, userId, accountId, roles: ['buyer'] }) as typeof operator;
const [lin, zhao, su] = [personOf(demoPersonas.lin), personOf(demoPersonas.zhao), personOf(demoPersonas.su)];
const checker = { ...operator, userId: UserId.parse(`usr_${'c'.repeat(32)}`) };

type Shown = {
  withdrawal_id: string;
  status: string;
  failure: string | null;
  late: boolean;
  code?: string;
  proposal?: { outcome: string };
};
type ShownWallet = {
  balance: number;
  frozen: number;
  owed: number;
  withdrawable: number;
  processing: number;
  bank_account: string;
  parts: { source: string; balance: number; withdrawable: number }[];
};
async function call<T = Shown>(
  as: typeof operator,
  path: string,
  { body, key, url = first.url }: { body?: unknown; key?: string; url?: string } = {},
) {
  const answer = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${await issuer.token(as)}`,
      'content-type': 'application/json',
      'idempotency-key': key ?? randomBytes(8).toString('hex'),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as T };
}
const walletOf = async (as: typeof operator) => (await call<ShownWallet>(as, '/v1/wallet')).body;
const ask = (as: typeof operator, source: string, amount: number, rest: { key?: string; url?: string } = {}) =>
  call(as, '/v1/wallet/withdrawals', { body: { source, amount }, ...rest });
const becomes = (as: typeof operator, { withdrawal_id: id }: Shown, wanted: Partial<Shown>) =>
  until(async () => {
    const { body } = await call(as, `/v1/wallet/withdrawals/${id}`);
    expect(body).toMatchObject(wanted);
    return body;
  });
let passedMs = 0;
async function pass(minutes: number): Promise<void> {
  passedMs += minutes * 60_000;
  await moveClock(bus, passedMs);
}

describe('a balance', () => {
  test('is shown by its parts, with what can be withdrawn and why not all', async () => {
    expect(await walletOf(lin)).toMatchObject({
      balance: 470_000,
      frozen: 20_000,
      owed: 5_000,
      withdrawable: 445_000,
      bank_account: '招商银行 ****0001',
    });
    expect((await walletOf(lin)).parts.map((part) => [part.source, part.balance, part.withdrawable])).toEqual([
      ['wechat', 120_000, 120_000],
      ['qq_wallet', 0, 0],
      ['e_banking', 50_000, 50_000],
      ['offline', 300_000, 275_000],
    ]);
  });

  test('is never withdrawn twice: of fifty requests at once, at two instances, as many go through as it has room for', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, nth) => ask(zhao, 'offline', 30_000, { url: instances[nth % 2]!.url })),
    );
    // 880 000 fen have room for 29 times 30 000.
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(29);
    expect(new Set(answers.filter(({ status }) => status !== 201).map(({ body }) => body.code))).toEqual(new Set(['withdrawal-too-much']));
    expect(await walletOf(zhao)).toMatchObject({ balance: 10_000, processing: 870_000 });
  });

  test('is withdrawn once by the same Idempotency-Key', async () => {
    const key = randomBytes(8).toString('hex');
    const [one, two] = [await ask(su, 'wechat', 100, { key }), await ask(su, 'wechat', 100, { key, url: instances[1].url })];
    expect(two.body.withdrawal_id).toBe(one.body.withdrawal_id);
    expect((await walletOf(su)).balance).toBe(9_900);
  });
});

describe('the original route', () => {
  test('pays out what it can, and gives the rest back to the balance', async () => {
    const [paid, failing] = [await ask(lin, 'wechat', 10_000), await ask(lin, 'wechat', 20_004)];
    expect((await walletOf(lin)).parts[0]).toMatchObject({ balance: 89_996 });
    await until(async () => {
      const [row] = await first.core.sql<
        { n: number }[]
      >`select count(*)::int as n from calls where kind = 'wallet.pay-out' and open and not_before > now()`;
      return row!.n >= 2;
    });
    await pass(30);
    await becomes(lin, paid.body, { status: 'succeeded', failure: null });
    await becomes(lin, failing.body, { status: 'failed', failure: 'FAILED the wallet is closed' });
    expect((await walletOf(lin)).parts[0]).toMatchObject({ balance: 110_000 });
  });
});

describe('a bank transfer', () => {
  const act = (as: typeof operator, { withdrawal_id: id }: Shown, verb: string, body: object = {}) =>
    call(as, `/v1/ops/wallet-withdrawals/${id}/${verb}`, { body });

  test('is done when a second operator confirms it', async () => {
    const { body: asked } = await ask(lin, 'offline', 50_000);
    expect((await act(operator, asked, 'approve')).body.code).toBe('withdrawal-not-open');
    await act(operator, asked, 'propose', { outcome: 'paid', note: '20260305-0001' });
    expect((await act(operator, asked, 'approve')).body.code).toBe('second-person-needed');
    expect((await act(checker, asked, 'approve')).status).toBe(200);
    await becomes(lin, asked, { status: 'succeeded' });
    expect((await call(lin, `/v1/wallet/withdrawals/${asked.withdrawal_id}`)).body).not.toHaveProperty('proposal');
  });

  test('that takes longer than promised is shown to operators as a task', async () => {
    const { body: asked } = await ask(lin, 'offline', 1_000);
    await pass(40 * 24 * 60);
    await becomes(lin, asked, { status: 'processing', late: true });
    const { body } = await call<{ items: { kind: string; subject: string }[] }>(operator, '/v1/ops/payment-tasks?limit=100');
    expect(body.items).toContainEqual(expect.objectContaining({ kind: 'withdrawal-late', subject: asked.withdrawal_id }));
  });

  test('of somebody else is not found, and only operators see where it goes', async () => {
    const { body } = await call<{ items: (Shown & { bank_account: unknown })[] }>(operator, '/v1/ops/wallet-withdrawals?status=processing');
    const [waiting] = body.items;
    expect(waiting).toMatchObject({ bank_account: { number: expect.stringMatching(/^\*{4}\d{4}$/) } });
    const reveal = await act(operator, waiting!, 'reveal-account');
    expect(reveal.body).toMatchObject({ number: expect.stringMatching(/^6200\d{15}$/) });
    const audit = await call<{ items: { action: string; object: string }[] }>(operator, '/v1/ops/payment-gateway/audit?limit=1');
    expect(audit.body.items[0]).toMatchObject({ action: 'withdrawal.reveal-account', object: `withdrawal:${waiting!.withdrawal_id}` });
    expect((await call(su, `/v1/wallet/withdrawals/${body.items[0]!.withdrawal_id}`)).status).toBe(404);
    expect((await call<{ items: unknown[] }>(su, '/v1/wallet/withdrawals')).body.items).toHaveLength(1);
  });
});

test('no number of a bank account stands in the database, and one that did is sealed at the next start', async () => {
  const { sql } = first.core;
  const kept = async () => JSON.stringify(await sql`select account_id, bank_account from wallets`);
  expect(await kept()).not.toContain('62000000');
  const open = { name: '晴禾科技', bank: '招商银行', number: '6200000000000000001' };
  await sql`update wallets set bank_account = ${sql.json(open)} where account_id = ${lin.accountId}`;
  const keys = [randomBytes(32), configuration.encryptionKeys[0]!];
  await resealAccounts(sql, vault(keys));
  expect(await kept()).not.toContain('62000000');
  expect(await walletOf(lin)).toMatchObject({ bank_account: '招商银行 ****0001' });
  const [row] = await sql<{ bankAccount: BankAccount }[]>`
    select bank_account as "bankAccount" from wallets where account_id = ${lin.accountId}`;
  // The old key is not needed any more.
  expect(numberOf(vault(keys.slice(0, 1)), lin.accountId, row!.bankAccount)).toBe(open.number);
});

test('in the end every balance is what the ledger says, and the ledger adds up', async () => {
  const { sql } = first.core;
  const wrong = await sql`
    select w.account_id from wallets w, lateral (values ('wechat', w.wechat), ('qq_wallet', w.qq_wallet), ('e_banking', w.e_banking), ('offline', w.offline)) p(source, amount)
    where p.amount <> coalesce((select -sum(amount) from ledger_postings l where l.account = 'wallet:' || w.account_id || '/' || p.source), 0)`;
  expect(wrong).toEqual([]);
  const { body } = await call<{ balanced: boolean; wrong_balances: string[] }>(operator, '/v1/ops/ledger?audit=true');
  expect(body).toMatchObject({ balanced: true, wrong_balances: [] });
  const lines = await call<{ items: { kind: string; channel: string; amount: number }[] }>(su, '/v1/ledger/entries');
  expect(lines.body.items.map(({ kind, channel, amount }) => [kind, channel, amount])).toEqual([
    ['wallet-withdrawal', 'wechat', -100],
    ['wallet-opening', 'wechat', 8_800],
    ['wallet-opening', 'qq_wallet', 1_200],
  ]);
});
