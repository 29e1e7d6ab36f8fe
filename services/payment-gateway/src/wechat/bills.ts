/** Bills 对账单 as payment-gateway fetches them: asked for, downloaded, opened, compared with their hash, read. */
import { constants, createDecipheriv, createHash, privateDecrypt, timingSafeEqual, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { BillAnswer, readBill, SealedBillAnswer, type Bill, type TradeBillType } from '@yunshi/protocols/wechat/bill';
import type { Downloads, Exchange, WechatClient } from './client.ts';
import { failure } from './outcomes.ts';

/**
 * - `none`: nothing happened on that day
 * - `making`: not made yet, which takes until ten in the morning
 * - `damaged`: what was downloaded is not what was announced, or is no bill
 */
export type FetchedBill =
  | { readonly kind: 'bill'; readonly hash: string; readonly bill: Bill }
  | { readonly kind: 'none' | 'making' }
  | { readonly kind: 'damaged'; readonly why: string }
  | ReturnType<typeof failure>;

export type WechatBills = ReturnType<typeof wechatBills>;

const unzip = promisify(gunzip);
/** A bill that unfolds to more than this is no bill. */
const TEXT_BYTES_MAX = 256 * 1024 * 1024;
const TAG_BYTES = 16;

type File = {
  readonly hash: string;
  readonly url: string;
  readonly counted: '总交易单数' | '资金流水总笔数';
  readonly unseal?: (bytes: Buffer) => Buffer;
};

export function wechatBills({ client, privateKey }: { client: WechatClient & Downloads; privateKey: () => KeyObject }) {
  const ask = (target: string, signal?: AbortSignal) => client.exchange({ method: 'GET', target, signal });

  async function fetched({ hash, url, counted, unseal }: File, signal?: AbortSignal): Promise<FetchedBill> {
    const file = await client.download(url, signal);
    if (file.kind !== 'file') return file;
    const text = await textOf(file.bytes, unseal);
    if (text === undefined) return { kind: 'damaged', why: 'it could not be opened' };
    if (!sameHash(text, hash)) return { kind: 'damaged', why: `its hash is not ${hash}` };
    const read = readBill(text.toString('utf8'), counted);
    return read.ok ? { kind: 'bill', hash, bill: read.value } : { kind: 'damaged', why: read.error };
  }

  async function plain(target: string, counted: File['counted'], signal?: AbortSignal): Promise<FetchedBill> {
    const answer = await ask(target, signal);
    if (answer.kind !== 'done') return noBill(answer);
    const read = BillAnswer.safeParse(answer.body);
    if (!read.success) return { kind: 'damaged', why: 'an answer of another shape' };
    return fetched({ hash: read.data.hash_value, url: read.data.download_url, counted }, signal);
  }

  return {
    /** All trades of a China day, `YYYY-MM-DD`. */
    trades: (day: string, type: TradeBillType = 'ALL', signal?: AbortSignal): Promise<FetchedBill> =>
      plain(`/v3/bill/tradebill?bill_date=${day}&bill_type=${type}&tar_type=GZIP`, '总交易单数', signal),

    /** What moved on the platform's own account. */
    flows: (day: string, signal?: AbortSignal): Promise<FetchedBill> =>
      plain(`/v3/bill/fundflowbill?bill_date=${day}&account_type=BASIC&tar_type=GZIP`, '资金流水总笔数', signal),

    /** What moved on the sub merchants' accounts, in as many parts as WeChat Pay makes of it; the first that fails is the answer. */
    subMerchantFlows: async (day: string, signal?: AbortSignal): Promise<FetchedBill> => {
      const query = `bill_date=${day}&account_type=ALL&algorithm=AEAD_AES_256_GCM&tar_type=GZIP`;
      const answer = await ask(`/v3/ecommerce/bill/fundflowbill?${query}`, signal);
      if (answer.kind !== 'done') return noBill(answer);
      const read = SealedBillAnswer.safeParse(answer.body);
      if (!read.success) return { kind: 'damaged', why: 'an answer of another shape' };
      const parts: Extract<FetchedBill, { kind: 'bill' }>[] = [];
      for (const { hash_value: hash, download_url: url, encrypt_key, nonce } of read.data.download_bill_list) {
        const unseal = (bytes: Buffer): Buffer => opened(bytes, keyOf(encrypt_key, privateKey()), nonce);
        const part = await fetched({ hash, url, counted: '资金流水总笔数', unseal }, signal);
        if (part.kind !== 'bill') return part;
        parts.push(part);
      }
      const [first] = parts;
      if (!first) return { kind: 'none' };
      return { ...first, bill: { ...first.bill, rows: parts.flatMap(({ bill }) => bill.rows) } };
    },
  };
}

function noBill(answer: Exclude<Exchange, { kind: 'done' }>): FetchedBill {
  if (answer.kind === 'refused' && answer.code === 'NO_STATEMENT_EXIST') return { kind: 'none' };
  if (answer.kind === 'refused' && answer.code === 'STATEMENT_CREATING') return { kind: 'making' };
  return failure(answer);
}

/** The uncompressed text; undefined when it cannot be opened. */
async function textOf(bytes: Buffer, unseal: File['unseal']): Promise<Buffer | undefined> {
  try {
    return await unzip(unseal?.(bytes) ?? bytes, { maxOutputLength: TEXT_BYTES_MAX });
  } catch {
    return undefined;
  }
}

function sameHash(text: Buffer, hash: string): boolean {
  const [ours, theirs] = [createHash('sha1').update(text).digest(), Buffer.from(hash, 'hex')];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}

const keyOf = (sealed: string, privateKey: KeyObject): Buffer =>
  privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, Buffer.from(sealed, 'base64'));

function opened(bytes: Buffer, key: Buffer, nonce: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
}
