/** The WeChat side on a server of its own, and a merchant played by the npm package `wechatpay-axios-plugin`. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { chinaTime } from '@yunshi/kernel/calendar';
import { testClock, wallClock, type Clock } from '@yunshi/kernel/clock';
import { testDatabase } from '@yunshi/testing/database';
import { fastify } from 'fastify';
import { pino } from 'pino';
import { Wechatpay, type Decorator } from 'wechatpay-axios-plugin';
import { afterAll } from 'vitest';
import { readKeys } from './keys.ts';
import { callbackListener, type Received } from './merchant.fixture.ts';
import { wechatSide } from './side.ts';

const migrations = fileURLToPath(new URL('../../migrations/wechat', import.meta.url));

type Options = { readonly wall?: Clock; readonly respond?: (received: Received) => { status: number; body?: string } };

export async function startSandbox({ wall = wallClock, respond }: Options = {}) {
  const database = await testDatabase('sandbox');
  const sql = connect({ url: database.url, name: 'sandbox', connectionsMax: 4 });
  await migrate(database.url, [{ name: 'wechat', path: migrations }]);
  const root = await mkdtemp(join(tmpdir(), 'sandbox-keys-'));
  const keysFolder = join(root, 'keys');
  const clock = testClock(0, wall);
  const log = pino({ level: 'error' });

  const begin = async (port: number) => {
    const side = await wechatSide({ sql, keysFolder, refundTakesMs: 2_000, clock, wall, log });
    const app = fastify({ forceCloseConnections: true, loggerInstance: log });
    await app.register(side.plugin);
    const url = await app.listen({ port, host: '127.0.0.1' });
    const stop = async () => {
      await app.close();
      await side.stop();
    };
    return { url, stop };
  };
  let running = await begin(0);
  const { url } = running;
  const listener = await callbackListener(respond);
  afterAll(async () => {
    await running.stop();
    await listener.stop();
    await sql.end();
    await rm(root, { recursive: true });
  });

  const keys = await readKeys(keysFolder);
  const { merchant } = keys;
  const privateKey = await readFile(join(keysFolder, 'merchant_key.pem'), 'utf8');
  const client = (certs: Record<string, string>, headers: Record<string, string> = {}) => {
    const { client: decorated } = new Wechatpay({ mchid: merchant.mchid, serial: merchant.merchant_serial, privateKey, certs });
    return axiosCalls(decorated.v3, url, headers);
  };
  const post = async (path: string, body: object, method = 'POST') =>
    fetch(`${url}${path}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

  const restart = async () => {
    await running.stop();
    running = await begin(Number(new URL(url).port));
  };
  return {
    url,
    clock,
    keys,
    merchant,
    privateKey,
    listener,
    restart,
    client,
    /** Public-key mode: the request says which key it wants. */
    byPublicKey: client({ [merchant.public_key_id]: keys.publicKeyPem }, { 'Wechatpay-Serial': merchant.public_key_id }),
    post,
    scan: async (codeUrl: string, how: object = {}) => post('/sandbox/wechat/scan', { code_url: codeUrl, ...how }),
    arm: async (what: string, times = 1) => post('/sandbox/wechat/next', { what, times }),
    /** What a merchant orders: one sub order, unless told otherwise. */
    order: (number: string, change: object = {}) => ({
      combine_appid: merchant.appid,
      combine_mchid: merchant.mchid,
      combine_out_trade_no: number,
      sub_orders: [
        {
          mchid: merchant.mchid,
          sub_mchid: '1900000109',
          out_trade_no: `${number}S`,
          attach: 'ord_1',
          description: '云市 标准版 1 年',
          amount: { total_amount: 19_900, currency: 'CNY' },
        },
      ],
      time_expire: chinaTime(new Date(clock.now().getTime() + 24 * 3_600_000)),
      notify_url: listener.url,
      ...change,
    }),
    closing: (number: string) => ({
      combine_appid: merchant.appid,
      sub_orders: [{ mchid: merchant.mchid, sub_mchid: '1900000109', out_trade_no: `${number}S` }],
    }),
    refund: (number: string, change: object = {}) => ({
      sub_mchid: '1900000109',
      sp_appid: merchant.appid,
      out_trade_no: `${number}S`,
      out_refund_no: `RF${number}`,
      reason: '交付失败',
      amount: { refund: 19_900, total: 19_900, currency: 'CNY' },
      notify_url: listener.refundUrl,
      ...change,
    }),
  };
}

/** The plugin signs, sends and verifies; only its chain of property names is left out, which TypeScript cannot follow. */
function axiosCalls(v3: Decorator['v3'], url: string, headers: Record<string, string>) {
  const config = { baseURL: url, headers };
  return {
    get: async <T>(path: string): Promise<T> => (await v3.get<T>(path, config)).data,
    post: async <T>(path: string, body: object): Promise<{ status: number; data: T }> => v3.post<T>(path, body, config),
  };
}
