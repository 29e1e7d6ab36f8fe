/** Where bills are asked for and downloaded. */
import { constants, createCipheriv, createHash, createHmac, publicEncrypt, timingSafeEqual, type KeyObject } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { startOfChinaDay } from '@yunshi/kernel/calendar';
import type { Clock } from '@yunshi/kernel/clock';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { BillDate, formatBill, TradeBillType, type BillAnswer, type SealedBillAnswer } from '@yunshi/protocols/wechat/bill';
import { z } from 'zod';
import { flowBill, tradeBill, type Day } from './bill.ts';
import type { Book } from './book.ts';
import type { Deps } from './deps.ts';
import { refusals, wrongParameter, type Refusal } from './refusal.ts';

const DAY_MS = 86_400_000;
/** Yesterday's bills are ready at ten. */
const READY_AFTER_MS = 10 * 3_600_000;
const KEPT_DAYS = 92;
const URL_LIFE_MS = 5 * 60_000;
const NONCE_CHARS = 12;

const Gzip = z.literal('GZIP').optional();
const TradeAsk = z.object({
  bill_date: BillDate,
  bill_type: TradeBillType.default('ALL'),
  sub_mchid: z.string().optional(),
  tar_type: Gzip,
});
const FlowAsk = z.object({ bill_date: BillDate, account_type: z.enum(['BASIC', 'OPERATION', 'FEES']).default('BASIC'), tar_type: Gzip });
const SealedAsk = z.object({
  bill_date: BillDate,
  account_type: z.literal('ALL'),
  algorithm: z.literal('AEAD_AES_256_GCM'),
  tar_type: Gzip,
});

/** Which file a download url is good for: told in the url itself, and sealed, so that nothing has to be kept. */
const Ticket = z.object({
  kind: z.enum(['trade', 'flow', 'sealed']),
  date: BillDate,
  type: TradeBillType.optional(),
  sub: z.string().optional(),
  gzip: z.boolean(),
  /** Wall time, ms. */
  until: z.number(),
});
type Ticket = z.infer<typeof Ticket>;

type Billing = Pick<Deps, 'book' | 'merchant' | 'clock'> & { readonly wall: Clock; readonly merchantKey: () => KeyObject };

export const billingSide = ({ book, merchant, clock, wall, merchantKey }: Billing) => {
  const seal = (text: string): string => createHmac('sha256', merchant.apiv3_key).update(text).digest('hex');
  const tokenOf = (ticket: Ticket): string => {
    const text = Buffer.from(JSON.stringify(ticket)).toString('base64url');
    return `${text}.${seal(text)}`;
  };
  const urlOf = (host: string, ticket: Ticket): string => `http://${host}/v3/billdownload/file?token=${tokenOf(ticket)}`;
  const until = (): number => wall.now().getTime() + URL_LIFE_MS;
  const textOf = (ticket: Ticket) => fileText(ticket, book, merchant);

  async function answerWith(ticket: Ticket, host: string): Promise<Result<BillAnswer, Refusal>> {
    const day = dayOf(ticket.date, clock.now());
    if (!day.ok) return day;
    const text = await textOf(ticket);
    if (text === undefined) return no(refusals.noStatement);
    return ok({ hash_type: 'SHA1', hash_value: sha1(text), download_url: urlOf(host, ticket) });
  }

  return {
    trade: async (query: unknown, host: string): Promise<Result<BillAnswer, Refusal>> => {
      const ask = TradeAsk.safeParse(query);
      if (!ask.success) return no(unreadable(ask.error));
      const { bill_date: date, bill_type: type, sub_mchid: sub, tar_type } = ask.data;
      return answerWith({ kind: 'trade', date, type, ...(sub && { sub }), gzip: tar_type === 'GZIP', until: until() }, host);
    },
    flow: async (query: unknown, host: string): Promise<Result<BillAnswer, Refusal>> => {
      const ask = FlowAsk.safeParse(query);
      if (!ask.success) return no(unreadable(ask.error));
      // The played platform has a basic account only.
      if (ask.data.account_type !== 'BASIC') return no(refusals.noStatement);
      return answerWith({ kind: 'flow', date: ask.data.bill_date, gzip: ask.data.tar_type === 'GZIP', until: until() }, host);
    },
    sealed: async (query: unknown, host: string): Promise<Result<SealedBillAnswer, Refusal>> => {
      const ask = SealedAsk.safeParse(query);
      if (!ask.success) return no(unreadable(ask.error));
      const ticket: Ticket = { kind: 'sealed', date: ask.data.bill_date, gzip: ask.data.tar_type === 'GZIP', until: until() };
      const answered = await answerWith(ticket, host);
      if (!answered.ok) return answered;
      const { key, nonce } = keyFor(ticket, seal);
      const encrypt_key = publicEncrypt(
        { key: merchantKey(), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
        Buffer.from(key),
      ).toString('base64');
      return ok({ download_bill_count: 1, download_bill_list: [{ ...answered.value, bill_sequence: 1, encrypt_key, nonce }] });
    },
    /** The bytes of a file; undefined for a url that is not, or no longer, good. */
    download: async (token: string): Promise<Buffer | undefined> => {
      const ticket = ticketOf(token, seal, wall);
      const text = ticket && (await textOf(ticket));
      if (!ticket || text === undefined) return undefined;
      const bytes = ticket.gzip ? gzipSync(text) : Buffer.from(text);
      if (ticket.kind !== 'sealed') return bytes;
      const { key, nonce } = keyFor(ticket, seal);
      const cipher = createCipheriv('aes-256-gcm', Buffer.from(key), Buffer.from(nonce));
      return Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    },
  };
};
export type Bills = ReturnType<typeof billingSide>;

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');

const unreadable = (error: z.ZodError): Refusal => {
  const [issue] = error.issues;
  return wrongParameter(`/query/${issue?.path.join('/') ?? ''}`, issue?.message ?? '');
};

function dayOf(date: string, now: Date): Result<Day, Refusal> {
  const from = new Date(`${date}T00:00:00+08:00`);
  const today = startOfChinaDay(now).getTime();
  if (from.getTime() >= today) return no(wrongParameter('/query/bill_date', '账单日期须早于今天'));
  if (from.getTime() < today - KEPT_DAYS * DAY_MS) return no(refusals.statementTooOld);
  const until = new Date(from.getTime() + DAY_MS);
  return now.getTime() < until.getTime() + READY_AFTER_MS ? no(refusals.statementInMaking) : ok({ from, until });
}

/** The text of a file, the same however often it is asked for; undefined when nothing happened on that day. */
async function fileText({ kind, date, type = 'ALL', sub }: Ticket, book: Book, us: Deps['merchant']): Promise<string | undefined> {
  const from = new Date(`${date}T00:00:00+08:00`);
  const day = { from, until: new Date(from.getTime() + DAY_MS) };
  if (kind !== 'trade') {
    const flows = await book.read.flowsOf(day, { account: us.mchid, others: kind === 'sealed' });
    return flows.length === 0 ? undefined : formatBill(flowBill(flows, { named: kind === 'sealed' }));
  }
  const traded = await book.read.tradedOn(day, sub);
  const bill = tradeBill(type, traded, await book.read.mistakesOf(date), { day, mchid: us.mchid, appid: us.appid });
  return bill.rows.length === 0 ? undefined : formatBill(bill);
}

function ticketOf(token: string, seal: (text: string) => string, wall: Clock): Ticket | undefined {
  const [text = '', signature = ''] = token.split('.');
  const [given, right] = [Buffer.from(signature), Buffer.from(seal(text))];
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  const ticket = Ticket.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  return ticket.until < wall.now().getTime() ? undefined : ticket;
}

/** A key of 32 characters and a nonce of 12, of this file alone. */
function keyFor(ticket: Ticket, seal: (text: string) => string): { readonly key: string; readonly nonce: string } {
  const made = seal(`key of ${JSON.stringify(ticket)}`);
  return { key: made.slice(0, 32), nonce: made.slice(32, 32 + NONCE_CHARS) };
}
