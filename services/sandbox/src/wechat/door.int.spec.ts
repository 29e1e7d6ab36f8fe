/** Who is let in, and how callbacks leave. */
import { authorize } from '@yunshi/protocols/wechat/request-signature';
import { privateKeyOf } from '@yunshi/protocols/wechat/rsa';
import { NOTICE_RETRY_MS } from '@yunshi/protocols/wechat/notice';
import { testDatabase } from '@yunshi/testing/database';
import { until } from '@yunshi/testing/until';
import { afterAll, describe, expect, test } from 'vitest';
import { isProbed } from './order.ts';
import { startSandbox } from './sandbox.fixture.ts';

let answerNext: (number | 'with FAIL')[] = [];
let refuseAll = false;
const database = await testDatabase('sandbox');
const sandbox = await startSandbox({
  databaseUrl: database.url,
  respond: ({ headers }) => {
    if (String(headers['wechatpay-signature']).startsWith('WECHATPAY/SIGNTEST/')) return { status: 401 };
    if (refuseAll) return { status: 500 };
    const next = answerNext.shift() ?? 204;
    return next === 'with FAIL' ? { status: 200, body: '{"code":"FAIL","message":"later"}' } : { status: next };
  },
});
afterAll(sandbox.stop);
const { merchant, url, listener } = sandbox;
const signer = { mchid: merchant.mchid, serialNo: merchant.merchant_serial, privateKey: privateKeyOf(sandbox.privateKey) };
const target = '/v3/combine-transactions/out-trade-no/NEVER001';
const signed = (wallMs = Date.now(), request = { method: 'GET', target, body: '' }) =>
  authorize(request, signer, { wallMs, nonce: 'n0nce' });
const get = async (headers: Record<string, string>) => {
  const answer = await fetch(`${url}${target}`, { headers: { 'user-agent': 'test', ...headers } });
  return { status: answer.status, signature: answer.headers.get('wechatpay-signature'), body: (await answer.json()) as { code: string } };
};

type Notice = { id: string; attempts: number; state: string; nextAt: string | null; probeAccepted: boolean };
const noticesOf = async (number: string) =>
  ((await (await fetch(`${url}/sandbox/wechat/orders/${number}`)).json()) as { notices: Notice[] }).notices;
const deliveries = (id: string) => listener.received.filter(({ body }) => body.includes(id));
const place = async (number: string) =>
  (await sandbox.byPublicKey.post<{ code_url: string }>('/v3/combine-transactions/native', sandbox.order(number))).data.code_url;
const numberWhere = (prefix: string, probed: boolean): string => {
  for (let index = 10; ; index++) if (isProbed(`${prefix}${index}`) === probed) return `${prefix}${index}`;
};
const moveBy = (ms: number) => sandbox.clock.moveTo(sandbox.clock.offsetMs() + ms);

describe('a request is refused', () => {
  test.each([
    ['without a signature', {}],
    [
      'with a signature for another request',
      { authorization: signed(Date.now(), { method: 'GET', target: '/v3/certificates', body: '' }) },
    ],
    ['signed six minutes ago', { authorization: signed(Date.now() - 360_000) }],
    ['signed six minutes ahead', { authorization: signed(Date.now() + 360_000) }],
  ])('%s', async (_, headers) => {
    expect(await get(headers as Record<string, string>)).toMatchObject({ status: 401, body: { code: 'SIGN_ERROR' } });
  });

  test('by a merchant who signs with his own key for another', async () => {
    const authorization = signed().replace(merchant.mchid, '1900000000');
    expect(await get({ authorization })).toMatchObject({ status: 403, body: { code: 'NO_AUTH' } });
  });

  test('when it wants an answer by a key that nobody has', async () => {
    const refused = await get({ authorization: signed(), 'wechatpay-serial': 'PUB_KEY_ID_0000000000' });
    expect(refused).toMatchObject({ status: 400, body: { code: 'PARAM_ERROR' } });
  });

  test('and refusals are signed as answers are', async () => {
    expect((await get({})).signature).toMatch(/^[A-Za-z0-9+/]{342}==$/);
  });
});

describe('a callback', () => {
  test('that is not accepted comes again by the schedule, with the same id', async () => {
    const number = numberWhere('AGAIN', false);
    answerNext = [500, 404, 204];
    await sandbox.scan(await place(number));
    const { id } = await until(async () => (await noticesOf(number)).find(({ attempts }) => attempts === 1));
    moveBy(NOTICE_RETRY_MS[0]! - 2_000);
    expect(deliveries(id)).toHaveLength(1);
    moveBy(2_000);
    await until(async () => (await noticesOf(number))[0]?.attempts === 2);
    moveBy(NOTICE_RETRY_MS[1]!);
    await until(async () => (await noticesOf(number))[0]?.state === 'accepted');
    expect(deliveries(id)).toHaveLength(3);
  });

  test('is accepted by 200 whatever the body says', async () => {
    const number = numberWhere('FAILBODY', false);
    answerNext = ['with FAIL'];
    await sandbox.scan(await place(number));
    const notice = await until(async () => (await noticesOf(number)).find(({ state }) => state !== 'waiting'));
    expect(notice).toMatchObject({ state: 'accepted', attempts: 1 });
  });

  test('that nobody accepts is given up after fifteen repetitions', async () => {
    const number = numberWhere('GIVENUP', false);
    refuseAll = true;
    await sandbox.scan(await place(number));
    for (const [index, waitMs] of NOTICE_RETRY_MS.entries()) {
      await until(async () => (await noticesOf(number))[0]?.attempts === index + 1);
      moveBy(waitMs);
    }
    await until(async () => (await noticesOf(number))[0]?.state === 'given-up');
    refuseAll = false;
    expect((await noticesOf(number))[0]?.attempts).toBe(16);
  });

  test('comes after a probe for one order in eight, and the probe is refused', async () => {
    const number = numberWhere('PROBED', true);
    await sandbox.scan(await place(number));
    const notice = await until(async () => (await noticesOf(number)).find(({ state }) => state === 'accepted'));
    expect(notice).toMatchObject({ attempts: 1, probeAccepted: false });
    expect(deliveries(notice.id).map(({ headers }) => String(headers['wechatpay-signature']).startsWith('WECHATPAY/SIGNTEST/'))).toEqual([
      true,
      false,
    ]);
  });

  test('that got lost once comes fifteen seconds later; one that gets lost for ever never does', async () => {
    const [lost, never] = [numberWhere('LOSTONCE', false), numberWhere('LOSTEVER', false)];
    await sandbox.scan(await place(lost), { callback: 'lost' });
    await sandbox.scan(await place(never), { callback: 'never' });
    await until(async () => (await noticesOf(lost))[0]?.attempts === 1 && (await noticesOf(never))[0]?.attempts === 1);
    moveBy(NOTICE_RETRY_MS[0]!);
    await until(async () => (await noticesOf(lost))[0]?.state === 'accepted' && (await noticesOf(never))[0]?.attempts === 2);
    expect(deliveries((await noticesOf(never))[0]!.id)).toHaveLength(0);
  });
});

describe('what was armed', () => {
  test('makes the next payment fail, and only that', async () => {
    const code = await place('FAILONCE1');
    await sandbox.arm('payment-fails');
    expect(await (await sandbox.scan(code)).json()).toMatchObject({ code: 'payment-failed' });
    expect((await sandbox.scan(code)).status).toBe(200);
  });

  test('answers 500 to the next calls', async () => {
    await sandbox.arm('call-fails', 2);
    for (const status of [500, 500, 404]) expect((await get({ authorization: signed() })).status).toBe(status);
  });

  test('loses the answer of a call that was carried out', async () => {
    await sandbox.arm('answer-lost');
    await expect(place('LOSTANSWER')).rejects.toThrow('socket hang up');
    expect((await fetch(`${url}/sandbox/wechat/orders/LOSTANSWER`)).status).toBe(200);
  });

  test('ends a refund as ABNORMAL', async () => {
    await sandbox.scan(await place('DEADCARD'));
    await sandbox.arm('refund-abnormal');
    await sandbox.byPublicKey.post('/v3/ecommerce/refunds/apply', sandbox.refund('DEADCARD'));
    moveBy(2_000);
    const path = '/v3/ecommerce/refunds/out-refund-no/RFDEADCARD?sub_mchid=1900000109';
    const refund = await until(async () => {
      const found = await sandbox.byPublicKey.get<{ status: string }>(path);
      return found.status === 'PROCESSING' ? undefined : found;
    });
    expect(refund.status).toBe('ABNORMAL');
  });
});

test('a restart forgets neither orders, nor callbacks to send, nor what was armed', async () => {
  const number = numberWhere('RESTART', false);
  answerNext = [500];
  const code = await place(number);
  await sandbox.scan(code);
  await until(async () => (await noticesOf(number))[0]?.attempts === 1);
  await sandbox.arm('payment-fails');
  await sandbox.restart();
  moveBy(NOTICE_RETRY_MS[0]!);
  await until(async () => (await noticesOf(number))[0]?.state === 'accepted');
  expect(await (await sandbox.scan(await place('RESTART2'))).json()).toMatchObject({ code: 'payment-failed' });
});

describe('the payer', () => {
  const payAt = (codeUrl: string) => `${url}/pay/${codeUrl.split('pr=')[1]}`;
  test('sees what is paid to whom, with a code to scan, and pays', async () => {
    const page = payAt(await place('PAYPAGE1'));
    const shown = await (await fetch(page)).text();
    for (const part of ['¥199.00', '云市 标准版 1 年', '1900000109', '<svg', '支付']) expect(shown).toContain(part);
    const done = await fetch(page, { method: 'POST', body: new URLSearchParams({ how: 'pays at-once' }) });
    expect(await done.text()).toContain('支付成功');
    expect((await fetch(page, { method: 'POST' })).status).toBe(409);
  });

  test('sees markup in a description as text', async () => {
    const order = sandbox.order('MARKUP01');
    order.sub_orders[0]!.description = '<script>alert(1)</script>';
    const { data } = await sandbox.byPublicKey.post<{ code_url: string }>('/v3/combine-transactions/native', order);
    const shown = await (await fetch(payAt(data.code_url))).text();
    expect(shown).toContain('&lt;script&gt;');
    expect(shown).not.toContain('<script>');
  });

  test('is told why a code cannot be paid', async () => {
    const code = await place('TOOLATE1');
    moveBy(25 * 3_600_000);
    const shown = await fetch(payAt(code));
    expect(shown.status).toBe(410);
    expect(await shown.text()).toContain('已过支付截止时间');
  });
});
