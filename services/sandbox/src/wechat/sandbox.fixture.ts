/** The WeChat side on a server of its own, and a merchant played by the npm package `wechatpay-axios-plugin`. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, type Sql } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { chinaTime } from '@yunshi/kernel/calendar';
import { testClock, wallClock, type Clock } from '@yunshi/kernel/clock';
import { fastify } from 'fastify';
import { createLog } from '@yunshi/telemetry/log';
import { Wechatpay, type Decorator } from 'wechatpay-axios-plugin';
import { readKeys, type Merchant } from './keys.ts';
import { callbackListener, type Received } from './merchant.fixture.ts';
import { wechatSide } from './side.ts';

const migrations = fileURLToPath(new URL('../../migrations/wechat', import.meta.url));

type Options = {
  readonly databaseUrl: string;
  readonly respond?: (received: Received) => { status: number; body?: string };
};

export async function startSandbox({ databaseUrl, respond }: Options) {
  const sql = connect({ url: databaseUrl, name: 'sandbox', connectionsMax: 4 });
  await migrate(databaseUrl, [{ name: 'wechat', path: migrations }]);
  const root = await mkdtemp(join(tmpdir(), 'sandbox-keys-'));
  const keysFolder = join(root, 'keys');
  const clock = testClock(0, wallClock);
  let running = await listen({ sql, keysFolder, clock }, 0);
  const { url } = running;
  const listener = await callbackListener(respond);
  const keys = await readKeys(keysFolder);
  const privateKey = await readFile(join(keysFolder, 'merchant_key.pem'), 'utf8');
  const client = witness({ url, privateKey, merchant: keys.merchant });
  const asJson = (body: object): RequestInit => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const post = (path: string, body: object, method = 'POST') => fetch(`${url}${path}`, { ...asJson(body), method });
  return {
    url,
    clock,
    keys,
    merchant: keys.merchant,
    privateKey,
    listener,
    client,
    /** Public-key mode: the request says which key it wants. */
    byPublicKey: client({ [keys.merchant.public_key_id]: keys.publicKeyPem }, { 'Wechatpay-Serial': keys.merchant.public_key_id }),
    post,
    scan: (codeUrl: string, how: object = {}) => post('/sandbox/wechat/scan', { code_url: codeUrl, ...how }),
    arm: (what: string, times = 1) => post('/sandbox/wechat/next', { what, times }),
    ...requests(keys.merchant, listener, clock),
    restart: async () => {
      await running.stop();
      running = await listen({ sql, keysFolder, clock }, Number(new URL(url).port));
    },
    stop: async () => {
      await running.stop();
      await listener.stop();
      await sql.end();
      await rm(root, { recursive: true });
    },
  };
}

async function listen({ sql, keysFolder, clock }: { sql: Sql; keysFolder: string; clock: Clock }, port: number) {
  const log = createLog({ service: 'sandbox', level: 'error' });
  const side = await wechatSide({ sql, keysFolder, refundTakesMs: 2_000, clock, wall: wallClock, log });
  const app = fastify({ forceCloseConnections: true, loggerInstance: log });
  await app.register(side.plugin);
  const url = await app.listen({ port, host: '127.0.0.1' });
  const stop = async () => {
    await app.close();
    await side.stop();
  };
  return { url, stop };
}

/** What a merchant asks: one sub order, unless told otherwise. */
const requests = ({ mchid, appid }: Merchant, listener: { url: string; refundUrl: string }, clock: Clock) => ({
  order: (number: string, change: object = {}) => ({
    combine_appid: appid,
    combine_mchid: mchid,
    combine_out_trade_no: number,
    sub_orders: [
      {
        mchid,
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
  closing: (number: string) => ({ combine_appid: appid, sub_orders: [{ mchid, sub_mchid: '1900000109', out_trade_no: `${number}S` }] }),
  refund: (number: string, change: object = {}) => ({
    sub_mchid: '1900000109',
    sp_appid: appid,
    out_trade_no: `${number}S`,
    out_refund_no: `RF${number}`,
    reason: '交付失败',
    amount: { refund: 19_900, total: 19_900, currency: 'CNY' },
    notify_url: listener.refundUrl,
    ...change,
  }),
});

type Witness = { readonly url: string; readonly privateKey: string; readonly merchant: Merchant };

/** @returns makes clients that trust the given keys, by serial */
const witness =
  ({ url, privateKey, merchant }: Witness) =>
  (certs: Record<string, string>, headers: Record<string, string> = {}) => {
    const { client } = new Wechatpay({ mchid: merchant.mchid, serial: merchant.merchant_serial, privateKey, certs });
    return axiosCalls(client.v3, url, headers);
  };

/** The plugin signs, sends and verifies; only its chain of property names is left out, which TypeScript cannot follow. */
function axiosCalls(v3: Decorator['v3'], url: string, headers: Record<string, string>) {
  const config = { baseURL: url, headers };
  return {
    get: async <T>(path: string): Promise<T> => (await v3.get<T>(path, config)).data,
    /** Bills: the answer is bytes, and carries no signature, so that the plugin is told to check none. */
    download: async (address: string): Promise<Buffer> => {
      const { pathname, search } = new URL(address);
      const unsigned = { ...config, responseType: 'arraybuffer' as const, transformResponse: [] };
      return Buffer.from((await v3.get<ArrayBuffer>(`${pathname}${search}`, unsigned)).data);
    },
    post: async <T>(path: string, body: object): Promise<{ status: number; data: T }> => v3.post<T>(path, body, config),
  };
}
