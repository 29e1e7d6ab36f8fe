import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { chinaTime } from '@yunshi/kernel/calendar';
import { testClock, wallClock } from '@yunshi/kernel/clock';
import { readCallback } from '@yunshi/payment-gateway/wechat/callback';
import { wechatClient } from '@yunshi/payment-gateway/wechat/client';
import { openKeyring, type KeySources } from '@yunshi/payment-gateway/wechat/keyring';
import { wechatSharing } from '@yunshi/payment-gateway/wechat/sharing';
import { wechatPay } from '@yunshi/payment-gateway/wechat/wechat-pay';
import { answerHeaders } from '@yunshi/protocols/wechat/answer-signature';
import { privateKeyOf } from '@yunshi/protocols/wechat/rsa';
import { apiV3Key } from '@yunshi/protocols/wechat/seal';
import { ensureKeys } from '@yunshi/sandbox/wechat/keys';
import { wechatSide } from '@yunshi/sandbox/wechat/side';
import { createLog } from '@yunshi/telemetry/log';
import { testDatabase } from '@yunshi/testing/database';
import { until } from '@yunshi/testing/until';
import { fastify } from 'fastify';
import { Aes, Formatter, Rsa } from 'wechatpay-axios-plugin';
import { afterAll, describe, expect, test } from 'vitest';

/** Our adapter, watched by the npm package `wechatpay-axios-plugin`: it checks what we sign, and signs and seals what we open. */

const database = await testDatabase('sandbox');
const sql = connect({ url: database.url, name: 'test', connectionsMax: 4 });
await migrate(database.url, [{ name: 'wechat', path: new URL('../../../services/sandbox/migrations/wechat', import.meta.url).pathname }]);
const root = await mkdtemp(join(tmpdir(), 'witness-'));
const keysFolder = join(root, 'keys');
const log = createLog({ service: 'test', level: 'silent' });
const keys = await ensureKeys(keysFolder, new Date());
const { merchant } = keys;
const merchantKey = await readFile(join(keysFolder, 'merchant_key.pem'), 'utf8');
const merchantCertificate = await readFile(join(keysFolder, 'merchant_cert.pem'), 'utf8');

type Received = { headers: Record<string, string>; body: string };
const callbacks: Received[] = [];
const listener = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    callbacks.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks).toString('utf8') });
    response.writeHead(204).end();
  });
});
const portOf = (server: typeof listener) => (server.address() as AddressInfo).port;
const listening = (server: typeof listener) => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
await listening(listener);

const clock = testClock(0, wallClock);
const side = await wechatSide({ sql, keysFolder, refundTakesMs: 0, clock, wall: wallClock, log });
const app = fastify({ forceCloseConnections: true });
await app.register(side.plugin);
const sandboxUrl = await app.listen({ host: '127.0.0.1', port: 0 });
afterAll(async () => {
  await app.close();
  await side.stop();
  await sql.end();
  listener.closeAllConnections();
  listener.close();
  await rm(root, { recursive: true });
});

const key = apiV3Key(merchant.apiv3_key);
const publicKey = { id: merchant.public_key_id, file: join(keysFolder, 'pub_key.pem') };
async function adapter(url: string, sources: KeySources) {
  const keyring = await openKeyring(sources, wallClock);
  const client = wechatClient({
    hosts: [url],
    merchant: () => ({ mchid: merchant.mchid, serialNo: merchant.merchant_serial, privateKey: privateKeyOf(merchantKey) }),
    keyring,
    answerSerial: sources.publicKey?.id,
    wall: wallClock,
    log,
  });
  afterAll(client.close);
  return { keyring, ...wechatPay({ client, keyring, apiV3Keys: () => [key] }), sharing: wechatSharing({ client }) };
}
const asJson = (body: object): RequestInit => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const post = (path: string, body: object, method = 'POST') => fetch(`${sandboxUrl}${path}`, { ...asJson(body), method });
// Repeated with the same number, a request must be the same to the letter, the second in which the test began included.
const payBy = chinaTime(new Date(Date.now() + 3_600_000));
const order = (number: string) => ({
  combine_appid: merchant.appid,
  combine_mchid: merchant.mchid,
  combine_out_trade_no: number,
  sub_orders: [
    {
      mchid: merchant.mchid,
      sub_mchid: '1900000109',
      out_trade_no: `${number}S`,
      attach: 'a',
      description: '云市 专业版 “一年”',
      amount: { total_amount: 1, currency: 'CNY' as const },
    },
  ],
  time_expire: payBy,
  notify_url: `http://127.0.0.1:${portOf(listener)}/v1/notify/wechat/payments`,
});
const closing = (number: string) => ({
  combine_appid: merchant.appid,
  sub_orders: [{ mchid: merchant.mchid, sub_mchid: '1900000109', out_trade_no: `${number}S` }],
});

const shared = (transaction_id: string) => ({ sub_mchid: '1900000109', transaction_id, out_order_no: `PS${transaction_id}` });
const sharing = (transaction_id: string) => ({
  ...shared(transaction_id),
  receivers: [{ type: 'MERCHANT_ID' as const, receiver_account: merchant.mchid, amount: 10, description: '平台服务费' }],
  finish: false,
});
const giveBack = (transaction_id: string) => ({
  sub_mchid: '1900000109',
  out_order_no: `PS${transaction_id}`,
  out_return_no: `PR${transaction_id}`,
  return_mchid: merchant.mchid,
  amount: 10,
  description: '退款',
});

test('what the adapter signs is what the witness would have signed, over the bytes that were sent', async () => {
  const verdicts: boolean[] = [];
  const witness = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const part = (name: string) => new RegExp(`${name}="([^"]+)"`).exec(request.headers.authorization ?? '')?.[1] ?? '';
      const body = Buffer.concat(chunks).toString('utf8');
      const message = Formatter.request(request.method ?? '', request.url ?? '', part('timestamp'), part('nonce_str'), body);
      verdicts.push(
        Rsa.verify(message, part('signature'), merchantCertificate) &&
          part('mchid') === merchant.mchid &&
          part('serial_no') === merchant.merchant_serial,
      );
      response.writeHead(204, answerHeaders('', keys.publicKey, { wallMs: Date.now(), nonce: 'n' })).end();
    });
  });
  await listening(witness);
  const wechat = await adapter(`http://127.0.0.1:${portOf(witness)}`, { publicKey });
  await wechat.place(order('WITNESS1'));
  await wechat.query('W|*-_1');
  await wechat.close('WITNESS1', closing('WITNESS1'));
  await wechat.queryRefund('RF@1*', '1900000109');
  await wechat.sharing.share(sharing('4200000001'));
  await wechat.sharing.queryShare({ subMchid: '1900000109', transactionId: '4200000001', shareNo: 'PS@|*-1' });
  await wechat.sharing.finish({ ...shared('4200000001'), description: '分账完成' });
  await wechat.sharing.unsplit('4200000001');
  await wechat.sharing.giveBack(giveBack('4200000001'));
  await wechat.sharing.queryReturn({ subMchid: '1900000109', shareNo: 'PS@|*-1', returnNo: 'PR@|*-1' });
  await wechat.sharing.addReceiver({ type: 'MERCHANT_ID', account: '1900000110', relation_type: 'OTHERS' });
  await wechat.sharing.deleteReceiver({ type: 'MERCHANT_ID', account: '1900000110' });
  witness.closeAllConnections();
  witness.close();
  expect(verdicts).toEqual(Array.from({ length: 12 }, () => true));
});

test('a callback that the witness signs and seals is opened by the adapter, and none with a byte changed', async () => {
  const { keyring } = await adapter(sandboxUrl, { publicKey });
  const content = {
    combine_appid: merchant.appid,
    combine_mchid: merchant.mchid,
    combine_out_trade_no: 'SEALED01',
    sub_orders: [
      { mchid: merchant.mchid, sub_mchid: '1', out_trade_no: 'SEALED1S', trade_state: 'SUCCESS', attach: 'x', amount: { total_amount: 7 } },
    ],
  };
  const nonce = Formatter.nonce(12);
  const ciphertext = Aes.AesGcm.encrypt(JSON.stringify(content), merchant.apiv3_key, nonce, 'transaction');
  const body = JSON.stringify({
    id: 'EV-1',
    create_time: '2026-03-01T12:00:00+08:00',
    event_type: 'TRANSACTION.SUCCESS',
    resource_type: 'encrypt-resource',
    resource: { algorithm: 'AEAD_AES_256_GCM', original_type: 'transaction', nonce, associated_data: 'transaction', ciphertext },
  });
  const timestamp = String(Formatter.timestamp());
  const headers = {
    'wechatpay-timestamp': timestamp,
    'wechatpay-nonce': 'n',
    'wechatpay-serial': merchant.public_key_id,
    'wechatpay-signature': Rsa.sign(Formatter.response(timestamp, 'n', body), keys.publicKey.privateKey),
  };
  const read = (text: string) => readCallback(headers, Buffer.from(text), { keyOf: keyring.keyOf, apiV3Keys: [key], wallMs: Date.now() });
  expect(read(body)).toMatchObject({
    ok: true,
    value: { kind: 'order', attach: 'x', order: { number: 'SEALED01', state: 'paid', amount: 7 } },
  });
  expect(read(body.replace('EV-1', 'EV-2'))).toEqual({ ok: false, error: 'wrong-signature' });
});

describe('the adapter against the sandbox', () => {
  test('in public-key mode places, queries, closes', async () => {
    const wechat = await adapter(sandboxUrl, { publicKey });
    expect(await wechat.place(order('ADAPTER1'))).toMatchObject({ kind: 'placed' });
    expect(await wechat.query('ADAPTER1')).toMatchObject({ kind: 'found', order: { state: 'unpaid', amount: 1 } });
    expect(await wechat.close('ADAPTER1', closing('ADAPTER1'))).toEqual({ kind: 'closed' });
    expect(await wechat.query('ADAPTER1')).toMatchObject({ kind: 'found', order: { state: 'closed' } });
    expect(await wechat.place(order('ADAPTER1'))).toEqual({ kind: 'closed' });
  });

  test('shares the platform’s part out of a paid order, frees the rest, and gives the part back', async () => {
    const wechat = await adapter(sandboxUrl, { publicKey });
    const asked = order('SHARING1');
    const sub = { ...asked.sub_orders[0]!, amount: { total_amount: 100, currency: 'CNY' as const }, settle_info: { profit_sharing: true } };
    const placed = await wechat.place({ ...asked, sub_orders: [sub] });
    if (placed.kind !== 'placed') throw new Error(placed.kind);
    const scanned = (await (await post('/sandbox/wechat/scan', { code_url: placed.codeUrl })).json()) as { transaction_ids: string[] };
    const [transaction] = scanned.transaction_ids as [string];
    expect(await wechat.sharing.share(sharing(transaction))).toMatchObject({ kind: 'refused', code: 'INVALID_REQUEST' });
    clock.moveTo(clock.offsetMs() + 60_000);
    expect(await wechat.sharing.unsplit(transaction)).toEqual({ kind: 'found', amount: 100 });
    expect(await wechat.sharing.share(sharing(transaction))).toEqual({ kind: 'pending' });
    // Asked again it is the same share.
    await until(async () => (await wechat.sharing.share(sharing(transaction))).kind === 'shared');
    const by = { subMchid: '1900000109', transactionId: transaction, shareNo: `PS${transaction}` };
    expect(await wechat.sharing.queryShare(by)).toEqual({ kind: 'shared', amount: 10 });
    expect(await wechat.sharing.queryShare({ ...by, shareNo: 'PSNEVER' })).toEqual({ kind: 'missing' });
    const finishing = { ...shared(transaction), out_order_no: `PF${transaction}`, description: '完结' };
    expect(await wechat.sharing.finish(finishing)).toEqual({ kind: 'shared', amount: 0 });
    expect(await wechat.sharing.unsplit(transaction)).toEqual({ kind: 'found', amount: 0 });
    expect(await wechat.sharing.finish({ ...finishing, out_order_no: `PG${transaction}` })).toEqual({ kind: 'shared', amount: 0 });
    await until(async () => (await wechat.sharing.giveBack(giveBack(transaction))).kind === 'returned');
    const back = { subMchid: '1900000109', shareNo: `PS${transaction}`, returnNo: `PR${transaction}` };
    expect(await wechat.sharing.queryReturn(back)).toEqual({ kind: 'returned', amount: 10 });
    const receiver = { type: 'MERCHANT_ID', account: '1900000110' } as const;
    expect(await wechat.sharing.addReceiver({ ...receiver, relation_type: 'OTHERS' })).toEqual({ kind: 'done' });
    expect(await wechat.sharing.deleteReceiver(receiver)).toEqual({ kind: 'done' });
  });

  test('in certificate mode learns the certificates, and a new one when it signs', async () => {
    await post('/sandbox/wechat/mode', { certificates: true, callbacks: 'mixed' }, 'PUT');
    const stranger = await adapter(sandboxUrl, {});
    expect(await stranger.place(order('CERTIFY1'))).toMatchObject({ kind: 'unknown' });

    const wechat = await adapter(sandboxUrl, {});
    wechat.keyring.onRefresh(async () => void (await wechat.learnCertificates()));
    expect(await wechat.learnCertificates()).toBe('done');
    expect(await wechat.place(order('CERTIFY1'))).toMatchObject({ kind: 'placed' });
    await post('/sandbox/wechat/certificates', {});
    // The first answer by the new certificate cannot be trusted yet, and has it fetched.
    expect(await wechat.place(order('CERTIFY1'))).toMatchObject({ kind: 'unknown' });
    expect(await wechat.place(order('CERTIFY1'))).toMatchObject({ kind: 'placed' });
  });

  test('opens callbacks signed by either kind of key while a merchant moves over', async () => {
    const wechat = await adapter(sandboxUrl, { publicKey });
    expect(await wechat.learnCertificates()).toBe('done');
    for (let index = 0; index < 8; index++) {
      const placed = await wechat.place(order(`MOVING0${index}`));
      if (placed.kind !== 'placed') throw new Error(placed.kind);
      await post('/sandbox/wechat/scan', { code_url: placed.codeUrl });
    }
    const opened = () =>
      callbacks.flatMap(({ headers, body }) => {
        const read = readCallback(headers, Buffer.from(body), { keyOf: wechat.keyring.keyOf, apiV3Keys: [key], wallMs: Date.now() });
        return read.ok && read.value.kind === 'order'
          ? [{ serial: headers['wechatpay-serial'] ?? '', number: read.value.order.number }]
          : [];
      });
    // One that a busy machine did not answer in time comes again fifteen seconds later.
    await until(() => new Set(opened().map(({ number }) => number)).size === 8, { within: 30_000 });
    expect(new Set(opened().map(({ serial }) => serial.startsWith('PUB_KEY_ID_')))).toEqual(new Set([true, false]));
  });
});
