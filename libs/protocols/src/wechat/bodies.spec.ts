import { describe, expect, test } from 'vitest';
import { CombineNativeRequest, CombineOrder } from './combine.ts';
import { outcomeOf } from './error.ts';
import { Notice, NOTICE_RETRY_MS } from './notice.ts';
import { Refund, RefundRequest } from './refund.ts';

const order: CombineNativeRequest = {
  combine_appid: 'wxd678efh567hg6787',
  combine_mchid: '1900000001',
  combine_out_trade_no: 'C20260301000001',
  sub_orders: [
    {
      mchid: '1900000001',
      sub_mchid: '1900000109',
      out_trade_no: 'S20260301000001',
      attach: 'pat_1',
      description: '云市 标准版 1 年',
      amount: { total_amount: 1, currency: 'CNY' },
    },
  ],
  time_expire: '2026-03-02T12:00:00+08:00',
  notify_url: 'https://pay.example.com/v1/notify/wechat/payments',
};
const [subOrder] = order.sub_orders;
const reads = (change: object) => CombineNativeRequest.safeParse({ ...order, ...change }).success;

describe('a combined order', () => {
  test('is read as WeChat Pay documents it', () => expect(reads({})).toBe(true));

  test.each([
    ['a number of 5 characters', { combine_out_trade_no: 'C2026' }],
    ['a number of 33 characters', { combine_out_trade_no: 'C'.repeat(33) }],
    ['a number with a sign that is not allowed', { combine_out_trade_no: 'C2026#0301' }],
    ['no sub order', { sub_orders: [] }],
    ['51 sub orders', { sub_orders: Array.from({ length: 51 }, () => subOrder) }],
    ['an amount of 0', { sub_orders: [{ ...subOrder, amount: { total_amount: 0, currency: 'CNY' } }] }],
    ['half a fen', { sub_orders: [{ ...subOrder, amount: { total_amount: 1.5, currency: 'CNY' } }] }],
    ['more than ten million yuan', { sub_orders: [{ ...subOrder, amount: { total_amount: 1_000_000_001, currency: 'CNY' } }] }],
    ['no attach', { sub_orders: [{ ...subOrder, attach: '' }] }],
    ['a notify url with a query', { notify_url: 'https://pay.example.com/notify?x=1' }],
    ['a time without an offset', { time_expire: '2026-03-02T12:00:00' }],
  ])('is refused with %s', (_, change) => expect(reads(change)).toBe(false));
});

test('an order without transaction, as an unpaid one is answered, can be read', () => {
  const answer = { ...order, sub_orders: [{ ...subOrder, trade_state: 'NOTPAY', amount: { total_amount: 1 } }] };
  expect(CombineOrder.parse(answer).sub_orders[0]?.trade_state).toBe('NOTPAY');
});

describe('a refund', () => {
  const ask = {
    sub_mchid: '1900000109',
    sp_appid: 'wxd678efh567hg6787',
    out_refund_no: 'RF1',
    amount: { refund: 1, total: 1, currency: 'CNY' as const },
  };
  test('names its payment in exactly one way', () => {
    expect(RefundRequest.safeParse({ ...ask, out_trade_no: 'S20260301000001' }).success).toBe(true);
    expect(RefundRequest.safeParse({ ...ask, transaction_id: '42' }).success).toBe(true);
    expect(RefundRequest.safeParse(ask).success).toBe(false);
    expect(RefundRequest.safeParse({ ...ask, transaction_id: '42', out_trade_no: 'S20260301000001' }).success).toBe(false);
  });

  test('is CLOSED under its old name too', () => {
    const answer = {
      refund_id: '50',
      out_refund_no: 'RF1',
      transaction_id: '42',
      out_trade_no: 'S20260301000001',
      create_time: '2026-03-01T12:00:00+08:00',
      status: 'CLOSE',
      amount: { refund: 1, payer_refund: 1, discount_refund: 0 },
    };
    expect(Refund.parse(answer).status).toBe('CLOSED');
  });
});

test('a notice may leave out its associated data', () => {
  const notice = {
    id: 'EV-2026030112000000000001',
    create_time: '2026-03-01T12:00:00+08:00',
    event_type: 'TRANSACTION.SUCCESS',
    resource_type: 'encrypt-resource',
    resource: { algorithm: 'AEAD_AES_256_GCM', nonce: 'fdasflkja484', ciphertext: 'AA==' },
  };
  expect(Notice.parse(notice).resource.associated_data).toBe('');
});

test('an unanswered notice is repeated 15 times in 24 hours and 4 minutes', () => {
  expect(NOTICE_RETRY_MS).toHaveLength(15);
  expect(NOTICE_RETRY_MS.reduce((sum, ms) => sum + ms, 0)).toBe((24 * 60 + 4) * 60_000);
});

test('only a 4xx that is no plea for patience means that nothing happened', () => {
  const statuses = [200, 204, 400, 401, 403, 404, 408, 429, 500, 502, 503, 302];
  expect(Object.fromEntries(statuses.map((status) => [status, outcomeOf(status)]))).toEqual({
    200: 'done',
    204: 'done',
    302: 'unknown',
    400: 'refused',
    401: 'refused',
    403: 'refused',
    404: 'refused',
    408: 'unknown',
    429: 'unknown',
    500: 'unknown',
    502: 'unknown',
    503: 'unknown',
  });
});
