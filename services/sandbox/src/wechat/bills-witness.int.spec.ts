/** Bills, asked for by `wechatpay-axios-plugin` and read by `csv-parse`: strangers to our own writer and reader. */
import { constants, createDecipheriv, createHash, privateDecrypt } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { chinaTime, startOfChinaDay } from '@yunshi/kernel/calendar';
import { readBill, tradeColumns } from '@yunshi/protocols/wechat/bill';
import { testDatabase } from '@yunshi/testing/database';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSandbox } from './sandbox.fixture.ts';

const database = await testDatabase('sandbox');
const sandbox = await startSandbox({ databaseUrl: database.url });
afterAll(sandbox.stop);
const wechat = sandbox.byPublicKey;
const hour = 3_600_000;
const moveBy = (ms: number) => sandbox.clock.moveTo(sandbox.clock.offsetMs() + ms);
/** So that the story does not run over midnight. */
const noon = startOfChinaDay(new Date(Date.now() + 24 * hour)).getTime() + 12 * hour;
sandbox.clock.moveTo(noon - Date.now());
const today = chinaTime(sandbox.clock.now()).slice(0, 10);

type Answer = { hash_type: string; hash_value: string; download_url: string };
type Refused = { response?: { status: number; data: { code: string } } };
const refusal = async (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (thrown: unknown) => (thrown as Refused).response?.data.code,
  );
const ask = (query: string, path = 'bill/tradebill') => wechat.get<Answer>(`/v3/${path}?${query}`);
const sha1 = (bytes: Buffer) => createHash('sha1').update(bytes).digest('hex');

/** As the witness reads it: what parts two cells is a comma before a backtick. */
function witnessed(file: Buffer): { columns: string[]; rows: Record<string, string>[]; summary: Record<string, string> } {
  const options = { bom: true, delimiter: ',`', quote: false, record_delimiter: '\r\n', relax_column_count: true } as const;
  const lines: string[][] = parse(file, options);
  const named = (head: string[], cells: string[]) =>
    Object.fromEntries(head.map((name, index) => [name, index === 0 ? cells[0]!.slice(1) : cells[index]!]));
  const [columns, summary] = [lines[0]![0]!.split(','), lines.at(-2)![0]!.split(',')];
  return { columns, rows: lines.slice(1, -2).map((cells) => named(columns, cells)), summary: named(summary, lines.at(-1)!) };
}

async function pay(number: string, description = '云市 标准版 1 年'): Promise<void> {
  const order = sandbox.order(number);
  const sub_orders = [{ ...order.sub_orders[0], description }];
  const { data } = await wechat.post<{ code_url: string }>('/v3/combine-transactions/native', { ...order, sub_orders });
  expect((await sandbox.scan(data.code_url)).status).toBe(200);
}

beforeAll(async () => {
  await pay('BILLED01');
  await pay('BILLED02', '标准版,含税,「一年」');
  await refund('BILLED02', { amount: { refund: 9_900, total: 19_900, currency: 'CNY' } });
  await pay('BILLED03');
  await refund('BILLED03');
  moveBy(12 * hour - 60_000);
});

async function refund(number: string, change: object = {}): Promise<void> {
  await wechat.post('/v3/ecommerce/refunds/apply', sandbox.refund(number, change));
  moveBy(2_000);
  const path = `/v3/ecommerce/refunds/out-refund-no/RF${number}?sub_mchid=1900000109`;
  await until(async () => (await wechat.get<{ status: string }>(path)).status === 'SUCCESS');
}

describe('a bill', () => {
  test('is not there on its own day, and in the making until ten the next morning', async () => {
    expect(await refusal(ask(`bill_date=${today}`))).toBe('PARAM_ERROR');
    moveBy(2 * hour);
    expect(await refusal(ask(`bill_date=${today}`))).toBe('STATEMENT_CREATING');
    moveBy(9 * hour);
    expect(await ask(`bill_date=${today}`)).toMatchObject({ hash_type: 'SHA1' });
  });

  test('of all trades reads the same to a stranger as to us, and its hash is that of the uncompressed file', async () => {
    const { hash_value, download_url } = await ask(`bill_date=${today}&bill_type=ALL`);
    const file = await wechat.download(download_url);
    expect(sha1(file)).toBe(hash_value);
    const seen = witnessed(file);
    expect(seen.columns).toEqual(tradeColumns.ALL);
    const read = readBill(file.toString('utf8'), '总交易单数');
    expect(read).toEqual({ ok: true, value: seen });

    const zipped = await ask(`bill_date=${today}&bill_type=ALL&tar_type=GZIP`);
    expect(zipped.hash_value).toBe(hash_value);
    expect(gunzipSync(await wechat.download(zipped.download_url)).equals(file)).toBe(true);
  });

  test('holds each payment and each refund, in yuan', async () => {
    const { rows, summary } = witnessed(await wechat.download((await ask(`bill_date=${today}`)).download_url));
    expect(rows.map((row) => [row['商户订单号'], row['订单金额'], row['商户退款单号'], row['退款金额'], row['退款状态']])).toEqual([
      ['BILLED01S', '199.00', '0', '0.00', ''],
      ['BILLED02S', '199.00', '0', '0.00', ''],
      ['BILLED02S', '0.00', 'RFBILLED02', '99.00', 'SUCCESS'],
      ['BILLED03S', '199.00', '0', '0.00', ''],
      ['BILLED03S', '0.00', 'RFBILLED03', '199.00', 'SUCCESS'],
    ]);
    expect(rows[1]!['商品名称']).toBe('标准版,含税,「一年」');
    expect(summary).toMatchObject({ 总交易单数: '5', 订单总金额: '597.00', 退款总金额: '298.00', 手续费总金额: '0.00' });
  });

  test.each([
    ['SUCCESS', 3],
    ['REFUND', 2],
  ] as const)('of %s alone has its own columns and %i rows', async (type, count) => {
    const seen = witnessed(await wechat.download((await ask(`bill_date=${today}&bill_type=${type}`)).download_url));
    expect(seen.columns).toEqual(tradeColumns[type]);
    expect(seen.rows).toHaveLength(count);
  });

  test('is refused for a day without trades, for a day long ago, and by a url that was changed', async () => {
    expect(await refusal(ask('bill_date=2020-01-01'))).toBe('PARAM_ERROR');
    const empty = chinaTime(new Date(noon - 48 * hour)).slice(0, 10);
    expect(await refusal(ask(`bill_date=${empty}`))).toBe('NO_STATEMENT_EXIST');
    const { download_url } = await ask(`bill_date=${today}`);
    await expect(wechat.download(download_url.replace(/token=.{3}/, 'token=abc'))).rejects.toThrow('400');
  });

  test('has the mistakes that were asked for, however often it is made', async () => {
    const plant = (what: string, about: string) => sandbox.post('/sandbox/wechat/bill-mistakes', { day: today, what, about });
    await plant('missing', 'BILLED01S');
    await plant('amount', 'BILLED02S');
    await plant('state', 'RFBILLED02');
    await plant('fee', 'BILLED03S');
    await plant('stranger', 'S9');
    const first = await ask(`bill_date=${today}`);
    expect((await ask(`bill_date=${today}`)).hash_value).toBe(first.hash_value);
    const { rows } = witnessed(await wechat.download(first.download_url));
    expect(rows.map((row) => [row['商户订单号'], row['订单金额'], row['退款状态'], row['手续费']])).toEqual([
      ['BILLED02S', '199.01', '', '0.00'],
      ['BILLED02S', '0.00', 'CLOSED', '0.00'],
      ['BILLED03S', '199.00', '', '0.12'],
      ['BILLED03S', '0.00', 'SUCCESS', '0.00'],
      ['S9', '1.00', '', '0.00'],
    ]);
  });
});

describe('a fund-flow bill', () => {
  test('of the platform has nothing before anything was shared with it', async () => {
    expect(await refusal(ask(`bill_date=${today}&account_type=BASIC`, 'bill/fundflowbill'))).toBe('NO_STATEMENT_EXIST');
  });

  test('of the sub merchants is sealed under the merchant’s certificate, and says what each held', async () => {
    type Sealed = { download_bill_list: (Answer & { encrypt_key: string; nonce: string })[] };
    const query = `bill_date=${today}&account_type=ALL&algorithm=AEAD_AES_256_GCM`;
    const { download_bill_list } = await wechat.get<Sealed>(`/v3/ecommerce/bill/fundflowbill?${query}`);
    const [one] = download_bill_list;
    const sealed = await wechat.download(one!.download_url);
    const oaep = { key: sandbox.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' };
    const key = privateDecrypt(oaep, Buffer.from(one!.encrypt_key, 'base64'));
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(one!.nonce));
    decipher.setAuthTag(sealed.subarray(-16));
    const file = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
    expect(sha1(file)).toBe(one!.hash_value);
    const { rows, summary } = witnessed(file);
    expect(rows.map((row) => [row['二级商户号'], row['业务名称'], row['收支金额(元)'], row['账户结余(元)']])).toEqual([
      ['1900000109', '交易', '199.00', '199.00'],
      ['1900000109', '交易', '199.00', '398.00'],
      ['1900000109', '退款', '99.00', '299.00'],
      ['1900000109', '交易', '199.00', '498.00'],
      ['1900000109', '退款', '199.00', '299.00'],
    ]);
    expect(summary).toEqual({ 资金流水总笔数: '5', 收入笔数: '3', 收入金额: '597.00', 支出笔数: '2', 支出金额: '298.00' });
  });
});
