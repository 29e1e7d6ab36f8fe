/** A stranger's client as a witness: what `wechatpay-axios-plugin` signs, verifies and decrypts is the protocol, not our idea of it. */
import { testDatabase } from '@yunshi/testing/database';
import { until } from '@yunshi/testing/until';
import { Aes, Formatter, Rsa } from 'wechatpay-axios-plugin';
import { afterAll, describe, expect, test } from 'vitest';
import { isProbed } from './order.ts';
import { startSandbox } from './sandbox.fixture.ts';

const database = await testDatabase('sandbox');
const sandbox = await startSandbox({ databaseUrl: database.url });
afterAll(sandbox.stop);
const { listener, merchant, keys } = sandbox;
const wechat = sandbox.byPublicKey;
const native = '/v3/combine-transactions/native';
const orderPath = (number: string) => `/v3/combine-transactions/out-trade-no/${number}`;
const applyPath = '/v3/ecommerce/refunds/apply';

type Code = { code_url: string };
type Order = { sub_orders: { trade_state: string; transaction_id: string }[] };
type Certificates = { data: { serial_no: string; encrypt_certificate: { ciphertext: string; nonce: string; associated_data: string } }[] };

const place = async (number: string, change: object = {}) => (await wechat.post<Code>(native, sandbox.order(number, change))).data;
const query = async (number: string) => wechat.get<Order>(orderPath(number));
const stateOf = async (number: string) => (await query(number)).sub_orders[0]!.trade_state;
const close = async (number: string) => wechat.post(`${orderPath(number)}/close`, sandbox.closing(number));

type Refused = { response?: { status: number; data: { code: string; message: string } } };

/** The HTTP answer that a call was refused with. */
async function refusal(call: Promise<unknown>): Promise<{ status: number; code: string; message: string }> {
  const { response } = await call.then(
    () => ({}) as Refused,
    (thrown: unknown) => thrown as Refused,
  );
  if (!response) throw new Error('the call was not refused');
  return { status: response.status, code: response.data.code, message: response.data.message };
}

const noticesOf = (number: string, path: string) =>
  listener.received.filter(({ path: at, body }) => at === path && decrypted(body).includes(number));
function decrypted(body: string): string {
  const { resource } = JSON.parse(body) as { resource: { ciphertext: string; nonce: string; associated_data: string } };
  return Aes.AesGcm.decrypt(resource.ciphertext, merchant.apiv3_key, resource.nonce, resource.associated_data);
}
const unprobed = (prefix: string): string => {
  for (let index = 0; ; index++) if (!isProbed(`${prefix}${index}`)) return `${prefix}${index}`;
};

describe('in public-key mode', () => {
  test('an order is placed, paid, called back and found paid', async () => {
    const number = unprobed('PAIDONE');
    const { code_url } = await place(number);
    expect(code_url).toMatch(/^weixin:\/\/wxpay\/bizpayurl\?pr=\w+$/);
    expect(await stateOf(number)).toBe('NOTPAY');

    expect((await sandbox.scan(code_url)).status).toBe(200);
    const { headers, body } = await until(() => noticesOf(number, '/v1/notify/wechat/payments')[0]);
    const message = Formatter.response(headers['wechatpay-timestamp'] as string, headers['wechatpay-nonce'] as string, body);
    expect(headers['wechatpay-serial']).toBe(merchant.public_key_id);
    expect(Rsa.verify(message, headers['wechatpay-signature'] as string, keys.publicKeyPem)).toBe(true);
    const inside = JSON.parse(decrypted(body)) as Awaited<ReturnType<typeof query>>;
    expect(inside).toEqual(await query(number));
    expect(inside.sub_orders[0]).toMatchObject({ trade_state: 'SUCCESS', attach: 'ord_1' });
  });

  test('an order that is closed cannot be paid, and closing it again changes nothing', async () => {
    const { code_url } = await place('CLOSED01');
    expect((await close('CLOSED01')).status).toBe(204);
    expect((await close('CLOSED01')).status).toBe(204);
    expect((await sandbox.scan(code_url)).status).toBe(409);
    expect(await stateOf('CLOSED01')).toBe('CLOSED');
  });

  test('closing a paid order answers ORDERPAID', async () => {
    await sandbox.scan((await place('PAID0002')).code_url);
    expect(await refusal(close('PAID0002'))).toMatchObject({ status: 400, code: 'ORDERPAID' });
  });

  test('a payer may pay just before the order is closed', async () => {
    await place('PAID0003');
    await sandbox.arm('paid-before-close');
    expect(await refusal(close('PAID0003'))).toMatchObject({ status: 400, code: 'ORDERPAID' });
    expect(await stateOf('PAID0003')).toBe('SUCCESS');
  });

  test('nobody knows an order that was never placed', async () => {
    expect(await refusal(query('NEVER001'))).toMatchObject({ status: 404, code: 'ORDER_NOT_EXIST' });
    expect(await refusal(close('NEVER001'))).toMatchObject({ status: 404, code: 'ORDER_NOT_EXIST' });
  });

  test('the same number with the same parameters gives a new code and kills the old one', async () => {
    const ask = sandbox.order('REENTRY1');
    const [first, second] = [await wechat.post<Code>(native, ask), await wechat.post<Code>(native, ask)];
    expect(second.data.code_url).not.toBe(first.data.code_url);
    expect(await (await sandbox.scan(first.data.code_url)).json()).toMatchObject({ code: 'code-unknown' });
    expect((await sandbox.scan(second.data.code_url)).status).toBe(200);
  });

  test('the same number with other parameters is refused in the words of the real service', async () => {
    await place('REENTRY2');
    expect(await refusal(place('REENTRY2', { notify_url: `${listener.url}/other` }))).toEqual({
      status: 400,
      code: 'INVALID_REQUEST',
      message: '请求重入时，参数与首次请求时不一致',
    });
  });

  test('a sub order number is used once, over all orders', async () => {
    const { sub_orders } = sandbox.order('SUBTWICE');
    await place('SUBTWICE');
    expect(await refusal(place('SUBTWIC2', { sub_orders }))).toMatchObject({ status: 400, code: 'OUT_TRADE_NO_USED' });
  });

  test.each([
    ['another appid', { combine_appid: 'wx0000000000000000' }, 'APPID_MCHID_NOT_MATCH', 400],
    ['another merchant', { combine_mchid: '1900000000' }, 'NO_AUTH', 403],
    ['a time that is over', { time_expire: '2020-01-01T00:00:00+08:00' }, 'PARAM_ERROR', 400],
    ['no notify url', { notify_url: undefined }, 'PARAM_ERROR', 400],
  ])('an order with %s is refused', async (_, change, code, status) => {
    expect(await refusal(place('REFUSED1', change))).toMatchObject({ status, code });
  });

  test('a refund is accepted, ends by itself, is called back and can be queried by both numbers', async () => {
    await sandbox.scan((await place('REFUND01')).code_url);
    const { data: accepted } = await wechat.post<{ refund_id: string }>(applyPath, sandbox.refund('REFUND01'));
    expect(accepted).not.toHaveProperty('status');
    const refundAt = async (path: string) => wechat.get<{ status: string }>(`/v3/ecommerce/refunds/${path}?sub_mchid=1900000109`);
    const byNumber = async () => refundAt('out-refund-no/RFREFUND01');
    expect((await byNumber()).status).toBe('PROCESSING');
    sandbox.clock.moveTo(sandbox.clock.offsetMs() + 2_000);
    await until(async () => (await byNumber()).status === 'SUCCESS');
    expect(await refundAt(`id/${accepted.refund_id}`)).toEqual(await byNumber());
    await until(() => noticesOf('RFREFUND01', '/v1/notify/wechat/refunds').length > 0);
    expect(await stateOf('REFUND01')).toBe('REFUND');
  });

  test('a refund that is asked for again is the same refund', async () => {
    await sandbox.scan((await place('REFUND02')).code_url);
    const ask = async (change: object = {}) => wechat.post(applyPath, sandbox.refund('REFUND02', change));
    const [first, second] = [await ask(), await ask()];
    expect(second.data).toEqual(first.data);
    expect(await refusal(ask({ reason: '另一个理由' }))).toMatchObject({ status: 400, message: '请求重入时，参数与首次请求时不一致' });
    expect(await refusal(ask({ out_refund_no: 'RFANOTHER' }))).toMatchObject({ status: 400, code: 'INVALID_REQUEST' });
  });

  test('nothing is refunded that was not paid, or for another sub merchant', async () => {
    await place('UNPAID01');
    expect(await refusal(wechat.post(applyPath, sandbox.refund('UNPAID01')))).toMatchObject({ status: 400 });
    await sandbox.scan((await place('OTHERSUB')).code_url);
    const forOther = sandbox.refund('OTHERSUB', { sub_mchid: '1900000110' });
    expect(await refusal(wechat.post(applyPath, forOther))).toMatchObject({ status: 404, code: 'RESOURCE_NOT_EXISTS' });
  });
});

describe('in certificate mode', () => {
  const decryptedCertificates = ({ data }: Certificates) =>
    Object.fromEntries(
      data.map(({ serial_no, encrypt_certificate: { ciphertext, nonce, associated_data } }) => [
        serial_no,
        Aes.AesGcm.decrypt(ciphertext, merchant.apiv3_key, nonce, associated_data),
      ]),
    );

  test('there is no certificate for a merchant of the new kind', async () => {
    expect(await refusal(wechat.get('/v3/certificates'))).toMatchObject({ status: 404, code: 'RESOURCE_NOT_EXISTS' });
  });

  test('the certificate is fetched, decrypted, and verifies the very answer that brought it', async () => {
    await sandbox.post('/sandbox/wechat/mode', { certificates: true }, 'PUT');
    const known = keys.certificates[0]!;
    const answer = await sandbox.client({ [known.serial]: known.pem }).get<Certificates>('/v3/certificates?algorithm_type=RSA');
    expect(decryptedCertificates(answer)).toEqual({ [known.serial]: known.pem });
  });

  test('orders are placed and closed with certificates, and after a rotation the new one signs', async () => {
    const { serials } = (await (await sandbox.post('/sandbox/wechat/certificates', {})).json()) as { serials: [string, string] };
    const certs = decryptedCertificates(await wechat.get<Certificates>('/v3/certificates'));
    expect(Object.keys(certs).toSorted()).toEqual(serials.toSorted());
    const both = sandbox.client(certs);
    expect((await both.post(native, sandbox.order('CERTMODE'))).status).toBe(200);
    expect((await both.post(`${orderPath('CERTMODE')}/close`, sandbox.closing('CERTMODE'))).status).toBe(204);
    const oldOnly = sandbox.client({ [serials[0]]: certs[serials[0]]! });
    await expect(oldOnly.get('/v3/certificates')).rejects.toThrow(serials[1]);
  });

  test('while a merchant moves over, callbacks come signed by either key', async () => {
    await sandbox.post('/sandbox/wechat/mode', { callbacks: 'mixed' }, 'PUT');
    for (let index = 0; index < 8; index++) await sandbox.scan((await place(`MIXED00${index}`)).code_url);
    const mixed = () => listener.received.filter(({ body }) => decrypted(body).includes('MIXED00'));
    await until(() => mixed().length >= 8);
    expect(new Set(mixed().map(({ headers }) => String(headers['wechatpay-serial']).slice(0, 11))).size).toBe(2);
    await sandbox.post('/sandbox/wechat/mode', { certificates: false, callbacks: 'public-key' }, 'PUT');
  });
});
