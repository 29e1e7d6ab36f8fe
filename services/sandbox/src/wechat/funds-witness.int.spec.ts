/** Shares, balances and withdrawals, asked by a stranger's client: `wechatpay-axios-plugin` signs and verifies. */
import { testDatabase } from '@yunshi/testing/database';
import { until } from '@yunshi/testing/until';
import { Aes } from 'wechatpay-axios-plugin';
import { afterAll, describe, expect, test } from 'vitest';
import { startSandbox } from './sandbox.fixture.ts';

const database = await testDatabase('sandbox');
const sandbox = await startSandbox({ databaseUrl: database.url });
afterAll(sandbox.stop);
const { merchant, listener } = sandbox;
const wechat = sandbox.byPublicKey;
const base = '/v3/ecommerce/profitsharing';
const moveBy = (ms: number) => sandbox.clock.moveTo(sandbox.clock.offsetMs() + ms);
const minute = 60_000;

type Refused = { response?: { status: number; data: { code: string; message: string } } };
const refusal = async (call: Promise<unknown>) => {
  const { response } = await call.then(
    () => ({}) as Refused,
    (thrown: unknown) => thrown as Refused,
  );
  if (!response) throw new Error('the call was not refused');
  return { status: response.status, code: response.data.code };
};

type Sharing = { status: string; order_id: string; receivers: { result: string; amount: number }[]; finish_amount?: number };
type Balance = { available_amount: number; pending_amount: number };
const balanceOf = (subMchid: string) => wechat.get<Balance>(`/v3/ecommerce/fund/balance/${subMchid}`);

/** An order of a sub merchant of its own, paid, its money frozen. */
async function frozen(number: string, subMchid: string, profitSharing = true) {
  const order = sandbox.order(number);
  const [sub] = order.sub_orders;
  const sub_orders = [{ ...sub, sub_mchid: subMchid, settle_info: { profit_sharing: profitSharing } }];
  const { data } = await wechat.post<{ code_url: string }>('/v3/combine-transactions/native', { ...order, sub_orders });
  const paid = (await (await sandbox.scan(data.code_url)).json()) as { transaction_ids: string[] };
  return { transaction: paid.transaction_ids[0]!, subMchid, number };
}
type Frozen = Awaited<ReturnType<typeof frozen>>;
const sharing = ({ transaction, subMchid, number }: Frozen, change: object = {}) => ({
  sub_mchid: subMchid,
  transaction_id: transaction,
  out_order_no: `PS${number}`,
  receivers: [{ type: 'MERCHANT_ID', receiver_account: merchant.mchid, amount: 1_990, description: '平台服务费' }],
  finish: true,
  ...change,
});
const share = async (paid: Frozen, change: object = {}) => (await wechat.post<Sharing>(`${base}/orders`, sharing(paid, change))).data;
const queryShare = ({ transaction, subMchid, number }: Frozen) =>
  wechat.get<Sharing>(`${base}/orders?sub_mchid=${subMchid}&transaction_id=${transaction}&out_order_no=PS${number}`);
const unsplit = async ({ transaction }: Frozen) =>
  (await wechat.get<{ unsplit_amount: number }>(`${base}/orders/${transaction}/amounts`)).unsplit_amount;
const shared = async (paid: Frozen, change: object = {}) => {
  moveBy(minute);
  await share(paid, change);
  moveBy(2_000);
  return until(async () => {
    const found = await queryShare(paid);
    return found.status === 'FINISHED' && found;
  });
};
const giveBack = (paid: Frozen, amount: number, nth = 1) => ({
  sub_mchid: paid.subMchid,
  out_order_no: `PS${paid.number}`,
  out_return_no: `PR${paid.number}-${nth}`,
  return_mchid: merchant.mchid,
  amount,
  description: '退款',
});
const refund = ({ number, subMchid }: Frozen, change: object = {}) =>
  wechat.post('/v3/ecommerce/refunds/apply', { ...sandbox.refund(number), sub_mchid: subMchid, ...change });

describe('money of an order that is to be shared', () => {
  test('is frozen until it is shared, a minute after the payment at the earliest', async () => {
    const paid = await frozen('SHARE001', '1900001001');
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 0, pending_amount: 19_900 });
    expect(await refusal(share(paid))).toEqual({ status: 400, code: 'INVALID_REQUEST' });
    const done = await shared(paid);
    expect(done).toMatchObject({ receivers: [{ result: 'SUCCESS', amount: 1_990 }], finish_amount: 17_910 });
    expect(await unsplit(paid)).toBe(0);
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 17_910, pending_amount: 0 });
  });

  test('is shared once however often it is asked, and never with other parameters', async () => {
    const paid = await frozen('SHARE002', '1900001002');
    await shared(paid);
    expect((await share(paid)).order_id).toBe((await queryShare(paid)).order_id);
    expect(await refusal(share(paid, { finish: false }))).toEqual({ status: 400, code: 'INVALID_REQUEST' });
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 17_910 });
  });

  test('is shared in parts, and finished', async () => {
    const paid = await frozen('SHARE003', '1900001003');
    await shared(paid, { finish: false });
    expect(await unsplit(paid)).toBe(17_910);
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 0, pending_amount: 17_910 });
    const finish = { sub_mchid: paid.subMchid, transaction_id: paid.transaction, out_order_no: 'PFSHARE003', description: '完结' };
    await wechat.post(`${base}/finish-order`, finish);
    expect(await unsplit(paid)).toBe(0);
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 17_910, pending_amount: 0 });
    expect(await refusal(wechat.post(`${base}/finish-order`, { ...finish, out_order_no: 'PFOTHER' }))).toMatchObject({
      code: 'NOT_ENOUGH',
    });
  });

  test.each([
    [
      'more than is agreed on',
      { receivers: [{ type: 'MERCHANT_ID', receiver_account: merchant.mchid, amount: 5_971, description: 'x' }] },
      'RULE_LIMIT',
    ],
    [
      'a receiver whom nobody has added',
      { receivers: [{ type: 'MERCHANT_ID', receiver_account: '1900009999', amount: 1, description: 'x' }] },
      'NO_AUTH',
    ],
  ])('is not shared: %s', async (_, change, code) => {
    const paid = await frozen(`NOSHARE${code}`.slice(0, 30), '1900001004');
    moveBy(minute);
    expect(await refusal(share(paid, change))).toEqual({ status: 403, code });
  });

  test('goes to a receiver that was added, until it is deleted', async () => {
    const paid = await frozen('SHARE005', '1900001005');
    const receiver = { type: 'MERCHANT_ID', account: '1900007777' };
    await wechat.post(`${base}/receivers/add`, { ...receiver, relation_type: 'DISTRIBUTOR' });
    const part = { type: 'MERCHANT_ID', receiver_account: '1900007777', amount: 100, description: '分销' };
    expect(await shared(paid, { receivers: [part], finish: false })).toMatchObject({ receivers: [{ result: 'SUCCESS' }] });
    expect(await balanceOf('1900007777')).toMatchObject({ available_amount: 100 });
    await wechat.post(`${base}/receivers/delete`, receiver);
    expect(await refusal(share(paid, { out_order_no: 'PSOTHER', receivers: [part] }))).toMatchObject({ code: 'NO_AUTH' });
  });

  test('stays with the sub merchant when a receiver cannot take its part', async () => {
    const paid = await frozen('SHARE006', '1900001006');
    await sandbox.arm('share-closed');
    expect(await shared(paid)).toMatchObject({ status: 'FINISHED', receivers: [{ result: 'CLOSED' }] });
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 19_900, pending_amount: 0 });
  });

  test('of an order that was not declared for it cannot be shared', async () => {
    const paid = await frozen('SHARE007', '1900001007', false);
    moveBy(minute);
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 19_900 });
    expect(await refusal(share(paid))).toEqual({ status: 400, code: 'INVALID_REQUEST' });
  });
});

describe('a refund of a shared order', () => {
  test('lacks the platform’s part until that has been given back', async () => {
    const paid = await frozen('BACK0001', '1900001011');
    await shared(paid);
    expect(await refusal(refund(paid))).toEqual({ status: 403, code: 'NOT_ENOUGH' });
    expect(await refusal(wechat.post(`${base}/returnorders`, giveBack(paid, 1_991)))).toMatchObject({ code: 'NOT_ENOUGH' });
    const asked = await wechat.post<{ result: string }>(`${base}/returnorders`, giveBack(paid, 1_990));
    expect(asked.data.result).toBe('PROCESSING');
    moveBy(2_000);
    const path = `${base}/returnorders?sub_mchid=${paid.subMchid}&out_order_no=PSBACK0001&out_return_no=PRBACK0001-1`;
    await until(async () => (await wechat.get<{ result: string }>(path)).result === 'SUCCESS');
    expect((await refund(paid)).status).toBe(200);
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 0, pending_amount: 0 });
    expect(await refusal(wechat.post(`${base}/returnorders`, giveBack(paid, 1, 2)))).toMatchObject({ code: 'NOT_ENOUGH' });
  });

  test('takes from what is frozen first', async () => {
    const paid = await frozen('BACK0002', '1900001012');
    await refund(paid, { amount: { refund: 9_900, total: 19_900, currency: 'CNY' } });
    expect(await unsplit(paid)).toBe(10_000);
  });

  test('comes back to the sub merchant when the channel closes it', async () => {
    const paid = await frozen('BACK0003', '1900001013');
    await sandbox.arm('refund-closed');
    await refund(paid);
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 0, pending_amount: 0 });
    moveBy(2_000);
    await until(async () => (await balanceOf(paid.subMchid)).available_amount === 19_900);
  });

  test('whose share does not come back stays where it is', async () => {
    const paid = await frozen('BACK0004', '1900001014');
    await shared(paid);
    await sandbox.arm('share-return-fails');
    await wechat.post(`${base}/returnorders`, giveBack(paid, 1_990));
    moveBy(2_000);
    const path = `${base}/returnorders?sub_mchid=${paid.subMchid}&out_order_no=PSBACK0004&out_return_no=PRBACK0004-1`;
    await until(async () => (await wechat.get<{ result: string }>(path)).result === 'FAILED');
    expect(await balanceOf(paid.subMchid)).toMatchObject({ available_amount: 17_910 });
  });
});

describe('a withdrawal', () => {
  const withdrawal = (subMchid: string, outRequestNo: string, amount: number) => ({
    sub_mchid: subMchid,
    out_request_no: outRequestNo,
    amount,
    notify_url: listener.url.replace('payments', 'withdrawals'),
  });
  type Withdraw = { status: string; amount: number; reason?: string };
  const query = (subMchid: string, outRequestNo: string) =>
    wechat.get<Withdraw>(`/v3/ecommerce/fund/withdraw/out-request-no/${outRequestNo}?sub_mchid=${subMchid}`);
  const noticesOf = (outRequestNo: string) =>
    listener.received
      .filter(({ path }) => path.endsWith('withdrawals'))
      .map(({ body }) => {
        const { resource } = JSON.parse(body) as { resource: { ciphertext: string; nonce: string; associated_data: string } };
        const text = Aes.AesGcm.decrypt(resource.ciphertext, merchant.apiv3_key, resource.nonce, resource.associated_data);
        return JSON.parse(text) as Withdraw & { out_request_no: string };
      })
      .filter((notice) => notice.out_request_no === outRequestNo)
      .map(({ status }) => status);

  test('takes no more than is there, and the same number is the same withdrawal', async () => {
    const { subMchid } = await frozen('DRAW0001', '1900001021', false);
    expect(await refusal(wechat.post('/v3/ecommerce/fund/withdraw', withdrawal(subMchid, 'W1', 19_901)))).toMatchObject({
      code: 'NOT_ENOUGH',
    });
    for (let times = 0; times < 2; times++) await wechat.post('/v3/ecommerce/fund/withdraw', withdrawal(subMchid, 'W2', 19_900));
    expect(await balanceOf(subMchid)).toMatchObject({ available_amount: 0 });
    expect(await query(subMchid, 'W2')).toMatchObject({ status: 'INIT', amount: 19_900 });
    moveBy(2_000);
    await until(async () => (await query(subMchid, 'W2')).status === 'SUCCESS');
    await until(() => noticesOf('W2').includes('SUCCESS'));
  });

  test('that fails comes back to the account', async () => {
    const { subMchid } = await frozen('DRAW0002', '1900001022', false);
    await sandbox.arm('withdrawal-fails');
    await wechat.post('/v3/ecommerce/fund/withdraw', withdrawal(subMchid, 'W3', 5_000));
    moveBy(2_000);
    await until(async () => (await query(subMchid, 'W3')).status === 'FAIL');
    expect(await balanceOf(subMchid)).toMatchObject({ available_amount: 19_900 });
  });

  test('may be sent back by the bank after it had arrived', async () => {
    const { subMchid } = await frozen('DRAW0003', '1900001023', false);
    await sandbox.arm('withdrawal-returned');
    await wechat.post('/v3/ecommerce/fund/withdraw', withdrawal(subMchid, 'W4', 19_900));
    moveBy(2_000);
    await until(async () => (await query(subMchid, 'W4')).status === 'SUCCESS');
    moveBy(60 * minute);
    await until(async () => (await query(subMchid, 'W4')).status === 'REFUND');
    expect(await balanceOf(subMchid)).toMatchObject({ available_amount: 19_900 });
    await until(() => noticesOf('W4').join() === 'SUCCESS,REFUND');
  });

  test('of many at once is never more than is there', async () => {
    const { subMchid } = await frozen('DRAW0004', '1900001024', false);
    const asked = Array.from({ length: 8 }, (_, nth) =>
      wechat.post('/v3/ecommerce/fund/withdraw', withdrawal(subMchid, `WMANY${nth}`, 7_000)).then(
        () => true,
        () => false,
      ),
    );
    expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(2);
    expect(await balanceOf(subMchid)).toMatchObject({ available_amount: 5_900 });
  });
});
