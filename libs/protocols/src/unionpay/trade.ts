/** The messages of B2B payments: what is asked, and what answers and notices say. Amounts are fen. */
import { z } from 'zod';

export const MerId = z.string().regex(/^[0-9A-Za-z]{15}$/);
/** A number that the merchant chooses: no «-» and no «_» in it. */
export const OrderId = z.string().regex(/^[0-9A-Za-z]{8,40}$/);
const Time = z.string().regex(/^\d{14}$/);
const WireFen = z
  .string()
  .regex(/^\d{1,12}$/)
  .transform(Number);
const QueryId = z.string().regex(/^\d{1,21}$/);

/** What every message has. `accessType` 0: the merchant itself. */
export const envelope = { version: '5.1.0', encoding: 'UTF-8', accessType: '0' } as const;
const Envelope = z.object({ version: z.literal('5.1.0'), encoding: z.literal('UTF-8'), accessType: z.literal('0') });

/** The kinds of messages. */
export const kinds = {
  pay: { txnType: '01', txnSubType: '01', bizType: '000202', channelType: '07' },
  refund: { txnType: '04', txnSubType: '00', bizType: '000202', channelType: '07' },
  query: { txnType: '00', txnSubType: '00', bizType: '000202' },
  file: { txnType: '76', txnSubType: '01', bizType: '000000' },
} as const;

/** frontTransReq: the browser posts it. */
export const PayRequest = Envelope.extend({
  txnType: z.literal('01'),
  txnSubType: z.literal('01'),
  bizType: z.literal('000202'),
  channelType: z.literal('07'),
  merId: MerId,
  orderId: OrderId,
  txnTime: Time,
  txnAmt: WireFen.refine((amount) => amount > 0),
  currencyCode: z.literal('156'),
  frontUrl: z.url().max(256),
  backUrl: z.url().max(256),
  /** What has not succeeded by then has failed: the bank's later success is returned by UnionPay itself. */
  payTimeout: Time.optional(),
  reqReserved: z
    .string()
    .regex(/^[^&={}[\]"']{0,1024}$/)
    .optional(),
});
export type PayRequest = z.infer<typeof PayRequest>;

/** backTransReq. `origQryId` is UnionPay's number of the payment. */
export const RefundRequest = Envelope.extend({
  txnType: z.literal('04'),
  txnSubType: z.literal('00'),
  bizType: z.literal('000202'),
  channelType: z.literal('07'),
  merId: MerId,
  orderId: OrderId,
  txnTime: Time,
  txnAmt: WireFen.refine((amount) => amount > 0),
  origQryId: QueryId,
  backUrl: z.url().max(256),
});
export type RefundRequest = z.infer<typeof RefundRequest>;

/** queryTrans. Number and time together name an order. */
export const QueryRequest = Envelope.extend({
  txnType: z.literal('00'),
  txnSubType: z.literal('00'),
  bizType: z.literal('000202'),
  merId: MerId,
  orderId: OrderId,
  txnTime: Time,
});

/** File transfer: the transactions that were cleared on one day. */
export const FileRequest = Envelope.extend({
  txnType: z.literal('76'),
  txnSubType: z.literal('01'),
  bizType: z.literal('000000'),
  merId: MerId,
  txnTime: Time,
  settleDate: z.string().regex(/^\d{4}$/),
  fileType: z.literal('00'),
});

/** What every answer says: of the request itself. */
export const Answer = z.object({ respCode: z.string().regex(/^[0-9A-Z]{2}$/), respMsg: z.string().default('') });

/** Of a refund that was taken in. */
export const Accepted = z.object({ merId: MerId, orderId: OrderId, txnTime: Time, queryId: QueryId });

/** Of a query that found something. `origRespCode` is what has become of it. */
export const Found = z.object({
  merId: MerId,
  orderId: OrderId,
  txnTime: Time,
  origRespCode: z.string().regex(/^[0-9A-Z]{2}$/),
  origRespMsg: z.string().default(''),
  txnAmt: WireFen.optional(),
  currencyCode: z.string().optional(),
  queryId: QueryId.optional(),
  /** `MMDDhhmmss` */
  traceTime: z
    .string()
    .regex(/^\d{10}$/)
    .optional(),
});
export type Found = z.infer<typeof Found>;

export const FileAnswer = z.object({ merId: MerId, settleDate: z.string(), fileName: z.string().max(256), fileContent: z.string() });

/** A notice 后台通知: of a payment or a refund that has succeeded. */
export const Notice = z.object({
  txnType: z.enum(['01', '04']),
  merId: MerId,
  orderId: OrderId,
  txnTime: Time,
  txnAmt: WireFen,
  currencyCode: z.string(),
  queryId: QueryId,
  respCode: z.string().regex(/^[0-9A-Z]{2}$/),
  traceTime: z
    .string()
    .regex(/^\d{10}$/)
    .optional(),
});
export type Notice = z.infer<typeof Notice>;

/** Waits between the five times that a notice is sent, until somebody answers 200 or 302 within ten seconds. */
export const NOTICE_RETRY_MS = [0, 60_000, 120_000, 240_000] as const;
export const NOTICE_TIMEOUT_MS = 10_000;

/** The answer codes that mean something to us. */
export const codes = {
  done: '00',
  /** Done, with a flaw at UnionPay's that it mends itself. */
  doneInPart: 'A6',
  duplicate: '12',
  /** There is no such order: not yet, or never. */
  noSuchOrder: '34',
  noSuchFile: '98',
} as const;

const isDone = (code: string): boolean => code === codes.done || code === codes.doneInPart;
const doing = new Set(['03', '04', '05']);
/** Of B2B payments these, too, may still turn into a success. */
const doingAtBank = new Set([...doing, '01', '12', '34', '60']);

/** What a code says of a payment, or of a refund, that was found. */
export const paymentMeaning = (code: string): 'done' | 'doing' | 'failed' =>
  isDone(code) ? 'done' : doingAtBank.has(code) ? 'doing' : 'failed';
export const refundMeaning = (code: string): 'done' | 'doing' | 'failed' => (isDone(code) ? 'done' : doing.has(code) ? 'doing' : 'failed');

/** What a code says of a request: whether it was taken in. Unsure ones are asked about. */
export const requestMeaning = (code: string): 'done' | 'unsure' | 'refused' =>
  isDone(code) ? 'done' : doing.has(code) || code === '06' ? 'unsure' : 'refused';
