import { generateKeyPairSync } from 'node:crypto';
import { authorize, parseParameters } from '@yunshi/protocols/mse-pay/signature';
import { describe, expect, test } from 'vitest';
import { Formatter, Rsa } from 'wechatpay-axios-plugin';
import { APPROVAL_MS, close, decide, lapsed, place, refundable, revoke, submit, type Ask } from './payment.ts';
import type { BankPayment } from './tables.ts';

const noon = new Date('2026-03-01T04:00:00Z');
const hours = (count: number): Date => new Date(noon.getTime() + count * 3_600_000);
const ask: Ask = {
  out_payment_id: 'C1',
  amount: 19_900,
  expire_time: '2026-03-03T12:00:00+08:00',
  payee: { ent_id: '3000000101', ent_name: '帆影软件' },
  notify_url: { server_notify_url: 'http://127.0.0.1/v1/notify/mse-pay' },
  channel_options: { include_bank_snames: ['ICBC'] },
};
const making = { token: 't', paymentId: '4001', now: noon, traceparent: undefined };
function must<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}
const begun = (): BankPayment => must(place(undefined, ask, making));
const by = { customerNo: '8800000001', user: 'zhidan', checker: 'fuhe1', voucherNo: 'V1' };
const handedIn = (): BankPayment => must(submit(begun(), by, hours(1)));
const checks = (user: string, approves = true) => decide(handedIn(), { customerNo: '8800000001', user, approves }, hours(30));
const code = (result: { ok: boolean; error?: unknown }) =>
  (result as { error?: { body: { error: { code: string } } } }).error?.body.error.code;

test('a stranger’s client checks what is signed: a request of 商企付 has the message of WeChat Pay', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const request = { method: 'POST', target: '/v3/mse-pay/redirects', body: '{"payment_id":"云"}' };
  const platform = { platformId: '1', serial: '5A', privateKey };
  const header = parseParameters(authorize(request, platform, { wallMs: noon.getTime(), nonce: 'n' }))!;
  const message = Formatter.request('POST', request.target, header['timestamp']!, 'n', request.body);
  expect(Rsa.verify(message, header['signature']!, publicKey)).toBe(true);
  expect(Rsa.sign(message, privateKey)).toBe(header['signature']);
});

describe('a payment', () => {
  test('asked for again is the same; with other parameters it is refused', () => {
    expect(place(begun(), ask, { ...making, token: 'u' })).toEqual({ ok: true, value: begun() });
    expect(code(place(begun(), { ...ask, amount: 1 }, making))).toBe('PARAM_INCONSISTENT');
  });
  test.each([
    ['an unknown bank', { channel_options: { include_bank_snames: ['XYZ'] } }],
    ['no bank', { channel_options: {} }],
    ['two banks', { channel_options: { include_bank_snames: ['ICBC', 'CMB'] } }],
    ['a time that is over', { expire_time: '2026-03-01T11:00:00+08:00' }],
  ])('with %s is refused', (_, change) => expect(place(undefined, { ...ask, ...change }, making).ok).toBe(false));
});

describe('at the bank', () => {
  test('the maker hands it in, and a second person approves it', () => {
    expect(handedIn()).toMatchObject({ status: 'BANK_ACCEPTED', maker: 'zhidan', checker: 'fuhe1' });
    expect(checks('fuhe1')).toMatchObject({ ok: true, value: { status: 'SUCCEEDED', paidAt: hours(30) } });
    expect(checks('fuhe1', false)).toMatchObject({ ok: true, value: { status: 'CLOSED', failedType: 'BANK_REJECTED' } });
  });
  test('nobody checks a voucher of their own, that of another company, or one that was given to somebody else', () => {
    expect(submit(begun(), { ...by, user: 'fuhe2', checker: 'fuhe2' }, noon)).toEqual({ ok: false, error: 'own-voucher' });
    const own = must(submit(begun(), { ...by, user: 'fuhe2' }, noon));
    expect(decide(own, { customerNo: '8800000001', user: 'fuhe2', approves: true }, noon)).toEqual({ ok: false, error: 'own-voucher' });
    expect(checks('fuhe2')).toEqual({ ok: false, error: 'not-allowed' });
    expect(checks('zhidan')).toEqual({ ok: false, error: 'not-allowed' });
    expect(decide(handedIn(), { customerNo: '8800000002', user: 'fuhe1', approves: true }, noon).ok).toBe(false);
  });
  test('only a maker hands in, and only to a checker', () => {
    expect(submit(begun(), { ...by, user: 'fuhe1', checker: 'fuhe2' }, noon)).toEqual({ ok: false, error: 'not-allowed' });
    expect(submit(begun(), { ...by, checker: 'zhidan' }, noon)).toEqual({ ok: false, error: 'checker-unknown' });
  });
  test('time alone ends what nobody finishes, and then nobody can', () => {
    expect(lapsed(begun(), hours(48))).toMatchObject({ status: 'CLOSED', failedType: 'EXPIRED' });
    const late = new Date(hours(1).getTime() + APPROVAL_MS);
    expect(lapsed(handedIn(), late)).toMatchObject({ status: 'CLOSED', failedType: 'APPROVAL_EXPIRED' });
    expect(decide(handedIn(), { customerNo: '8800000001', user: 'fuhe1', approves: true }, late)).toEqual({ ok: false, error: 'not-open' });
  });
});

describe('closing, refunding, taking back', () => {
  const paid = () => must(checks('fuhe1'));
  test('the platform closes what no bank holds; twice is once', () => {
    const closed = must(close(begun(), hours(1)));
    expect(closed.status).toBe('CLOSED');
    expect(close(closed, hours(2))).toEqual({ ok: true, value: closed });
    expect(code(close(handedIn(), hours(2)))).toBe('BANK_ACCEPTED');
    expect(code(close(paid(), hours(31)))).toBe('PAYMENT_PAID');
  });
  test('no more is refunded than was paid', () => {
    const before = { amount: 19_000, status: 'ACCEPTED' } as never;
    expect(refundable(paid(), [before], 900).ok).toBe(true);
    expect(code(refundable(paid(), [before], 901))).toBe('REFUND_TOO_MUCH');
    expect(code(refundable(handedIn(), [], 1))).toBe('PAYMENT_NOT_PAID');
  });
  test('only what was paid can be taken back 退票', () => {
    expect(revoke(paid(), hours(99))?.status).toBe('REVOKED');
    expect(revoke(handedIn(), hours(99))).toBeUndefined();
  });
});
