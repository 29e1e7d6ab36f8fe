/** The adapter against servers that answer as WeChat Pay might at its worst. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wallClock } from '@yunshi/kernel/clock';
import { answerHeaders } from '@yunshi/protocols/wechat/answer-signature';
import { apiV3Key, seal } from '@yunshi/protocols/wechat/seal';
import { verifyRequest } from '@yunshi/protocols/wechat/request-signature';
import { createLog } from '@yunshi/telemetry/log';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readCallback } from './callback.ts';
import { wechatClient } from './client.ts';
import { openKeyring } from './keyring.ts';
import { wechatPay } from './wechat-pay.ts';

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const [merchant, platform, older, stranger] = [pair(), pair(), pair(), pair()];
const ours = { mchid: '1900000001', serialNo: 'AB', privateKey: merchant.privateKey };
const key = apiV3Key('0123456789abcdef0123456789ABCDEF');
const PUBLIC_KEY_ID = 'PUB_KEY_ID_0119000000012026';
const pem = ({ publicKey }: ReturnType<typeof pair>) => publicKey.export({ type: 'spki', format: 'pem' }).toString();
const log = createLog({ service: 'test', level: 'silent' });
const signed = (body: string, serial = PUBLIC_KEY_ID, by = platform, wallMs = Date.now()) =>
  answerHeaders(body, { serial, privateKey: by.privateKey }, { wallMs, nonce: 'n' });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'adapter-'));
  await writeFile(join(folder, 'pub_key.pem'), pem(platform));
});
afterAll(() => rm(folder, { recursive: true }));

type Answer = { status: number; body?: string; headers?: Record<string, string> };
const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of open.splice(0)) await stop();
});

async function server(answer: (request: IncomingMessage, body: string) => Answer | 'hang up'): Promise<string> {
  const listening = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const given = answer(request, Buffer.concat(chunks).toString('utf8'));
      if (given === 'hang up') return request.socket.destroy();
      response.writeHead(given.status, given.headers).end(given.body);
      return undefined;
    });
  });
  await new Promise<void>((resolve) => {
    listening.listen(0, '127.0.0.1', resolve);
  });
  open.push(async () => {
    listening.closeAllConnections();
    await new Promise((resolve) => {
      listening.close(resolve);
    });
  });
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}
async function adapter(...hosts: [string, ...string[]]) {
  const keyring = await openKeyring({ publicKey: { id: PUBLIC_KEY_ID, file: join(folder, 'pub_key.pem') } }, wallClock);
  const client = wechatClient({ hosts, merchant: () => ours, keyring, answerSerial: PUBLIC_KEY_ID, wall: wallClock, log });
  open.push(client.close);
  return { exchange: client.exchange, ...wechatPay({ client, keyring, apiV3Keys: () => [key] }), keyring };
}
const nobody = 'http://127.0.0.1:1';
const error = (status: number, code: string): Answer => {
  const body = JSON.stringify({ code, message: '' });
  return { status, body, headers: signed(body) };
};

describe('what an answer says', () => {
  test.each([
    ['a signed 2xx', { status: 204, headers: signed('') }, { kind: 'done' }],
    ['a 2xx without a signature', { status: 204 }, { kind: 'unknown' }],
    ['a 2xx signed by a stranger under a known serial', { status: 204, headers: signed('', PUBLIC_KEY_ID, stranger) }, { kind: 'unknown' }],
    ['a 2xx signed for another body', { status: 200, body: '{}', headers: signed('') }, { kind: 'unknown' }],
    [
      'a 2xx signed six minutes ago',
      { status: 204, headers: signed('', PUBLIC_KEY_ID, platform, Date.now() - 360_000) },
      { kind: 'unknown' },
    ],
    ['a signed 400', error(400, 'PARAM_ERROR'), { kind: 'refused', status: 400, code: 'PARAM_ERROR' }],
    ['a 400 of a proxy, unsigned', { status: 400, body: '<html>' }, { kind: 'refused', code: 'HTTP_400' }],
    ['a 400 signed by a stranger', { ...error(400, 'X'), headers: signed('x', PUBLIC_KEY_ID, stranger) }, { kind: 'unknown' }],
    ['a 429', error(429, 'FREQUENCY_LIMITED'), { kind: 'unknown' }],
    ['a 500', error(500, 'SYSTEM_ERROR'), { kind: 'unknown' }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }, { kind: 'unknown' }],
  ] as [string, Answer, object][])('%s', async (_, answer, expected) => {
    const { exchange } = await adapter(await server(() => answer));
    expect(await exchange({ method: 'GET', target: '/v3/x' })).toMatchObject(expected);
  });

  test('a broken connection: whether it was carried out is unknown', async () => {
    const { exchange } = await adapter(await server(() => 'hang up'));
    expect(await exchange({ method: 'GET', target: '/v3/x' })).toMatchObject({ kind: 'unknown' });
  });

  test('a caller who gives up', async () => {
    const { exchange } = await adapter(await server(() => ({ status: 204, headers: signed('') })));
    expect(await exchange({ method: 'GET', target: '/v3/x', signal: AbortSignal.abort() })).toMatchObject({ kind: 'unknown' });
  });

  test('an answer of no end is not read to its end', async () => {
    const body = 'x'.repeat(600 * 1024);
    const { exchange } = await adapter(await server(() => ({ status: 200, body, headers: signed(body) })));
    expect(await exchange({ method: 'GET', target: '/v3/x' })).toEqual({ kind: 'unknown', why: 'an answer of more than 524288 bytes' });
  });
});

describe('the backup host', () => {
  test('is asked when the main one cannot be reached', async () => {
    const { exchange } = await adapter(nobody, await server(() => ({ status: 204, headers: signed('') })));
    expect(await exchange({ method: 'GET', target: '/v3/x' })).toEqual({ kind: 'done', body: undefined });
  });
  test('is not asked when the request may have arrived', async () => {
    let asked = 0;
    const backup = await server(() => ((asked += 1), { status: 204, headers: signed('') }));
    const { exchange } = await adapter(await server(() => 'hang up'), backup);
    expect(await exchange({ method: 'GET', target: '/v3/x' })).toMatchObject({ kind: 'unknown' });
    expect(asked).toBe(0);
  });
});

test('every request is signed over what is sent, and says which key it wants answered with', async () => {
  const seen: boolean[] = [];
  const url = await server((request, body) => {
    const wire = { method: request.method ?? '', target: request.url ?? '', body };
    seen.push(verifyRequest(request.headers.authorization, wire, () => merchant.publicKey, Date.now()).ok);
    seen.push(
      request.headers['wechatpay-serial'] === PUBLIC_KEY_ID &&
        request.headers.accept === 'application/json' &&
        request.headers['user-agent'] !== undefined,
    );
    return error(404, 'ORDER_NOT_EXIST');
  });
  const wechat = await adapter(url);
  expect(await wechat.query('C云|*')).toEqual({ kind: 'missing' });
  expect(await wechat.queryRefund('RF@1', '1900000109')).toEqual({ kind: 'missing' });
  expect(await wechat.close('C1', { combine_appid: 'wx', sub_orders: [{ mchid: '1', sub_mchid: '2', out_trade_no: 'S12345' }] })).toEqual({
    kind: 'missing',
  });
  expect(seen).toEqual(Array.from({ length: 6 }, () => true));
});

describe('an order', () => {
  const order = {} as never;
  test.each([
    ['ORDERPAID', { kind: 'paid' }],
    ['ORDER_PAID', { kind: 'paid' }],
    ['ORDER_CLOSED', { kind: 'closed' }],
    ['INVALID_REQUEST', { kind: 'refused', code: 'INVALID_REQUEST' }],
  ])('refused with %s', async (code, expected) => {
    const wechat = await adapter(await server(() => error(400, code)));
    expect(await wechat.place(order)).toMatchObject(expected);
  });
  test('whose answer has no code is unknown, not failed', async () => {
    const wechat = await adapter(await server(() => ({ status: 200, body: '{}', headers: signed('{}') })));
    expect(await wechat.place(order)).toMatchObject({ kind: 'unknown' });
  });
  test('that was refunded has been paid', async () => {
    const body = JSON.stringify({
      combine_appid: 'wx',
      combine_mchid: '1900000001',
      combine_out_trade_no: 'C123456',
      sub_orders: [{ mchid: '1900000001', sub_mchid: '2', out_trade_no: 'S123456', trade_state: 'REFUND', amount: { total_amount: 7 } }],
      combine_payer_info: { openid: 'o-secret' },
    });
    const wechat = await adapter(await server(() => ({ status: 200, body, headers: signed(body) })));
    const seen = await wechat.query('C123456');
    expect(seen).toMatchObject({ kind: 'found', order: { state: 'paid', amount: 7, currency: 'CNY' } });
    expect(JSON.stringify(seen)).not.toContain('o-secret');
  });
});

describe('keys', () => {
  test('are read again when an unknown one signs, at most once a minute', async () => {
    const file = join(folder, 'keys.json');
    let wallMs = Date.now();
    await writeFile(file, JSON.stringify({}));
    const keyring = await openKeyring({ keysFile: file }, { now: () => new Date(wallMs) });
    await writeFile(file, JSON.stringify({ NEW: pem(older) }));
    await keyring.refresh();
    expect(keyring.keyOf('NEW')).toBeDefined();
    await writeFile(file, JSON.stringify({ NEW: pem(older), NEWER: pem(platform) }));
    await keyring.refresh();
    expect(keyring.keyOf('NEWER')).toBeUndefined();
    wallMs += 60_000;
    await keyring.refresh();
    expect(keyring.keyOf('NEWER')).toBeDefined();
  });

  test('of both kinds verify callbacks side by side', async () => {
    const { keyring } = await adapter(nobody);
    keyring.add('7A00', pem(older));
    const sealed = seal(JSON.stringify({}), key, 'fdasflkja484', '');
    const body = JSON.stringify({
      id: 'EV-1',
      create_time: '2026-03-01T12:00:00+08:00',
      event_type: 'PROFITSHARING',
      resource_type: 'encrypt-resource',
      resource: sealed,
    });
    const read = (headers: Record<string, string>) =>
      readCallback(headers, Buffer.from(body), { keyOf: keyring.keyOf, apiV3Keys: [key], wallMs: Date.now() });
    for (const headers of [signed(body), signed(body, '7A00', older)])
      expect(read(headers)).toMatchObject({ ok: true, value: { kind: 'other' } });
    expect(read(signed(body, '7A00', platform))).toEqual({ ok: false, error: 'wrong-signature' });
  });

  test('in a certificate are learned from the very answer that it signs, if our APIv3 key opens it', async () => {
    const list = (sealedBy: Buffer) =>
      JSON.stringify({
        data: [
          {
            serial_no: '7B01',
            effective_time: '2026-03-01T12:00:00+08:00',
            expire_time: '2031-03-01T12:00:00+08:00',
            encrypt_certificate: seal(pem(older), sealedBy, 'fdasflkja484', 'certificate'),
          },
        ],
      });
    let body = list(apiV3Key('x'.repeat(32)));
    const wechat = await adapter(await server(() => ({ status: 200, body, headers: signed(body, '7B01', older) })));
    expect(await wechat.learnCertificates()).toBe('unknown');
    expect(wechat.keyring.keyOf('7B01')).toBeUndefined();
    body = list(key);
    expect(await wechat.learnCertificates()).toBe('done');
    expect(wechat.keyring.keyOf('7B01')).toBeDefined();
  });
});
