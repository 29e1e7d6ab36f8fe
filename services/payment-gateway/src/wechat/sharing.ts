/** Profit sharing 分账 as payment-gateway uses it: the platform's part out of a paid order, and back again. */
import {
  Finished,
  ReceiverNamed,
  ShareReturn,
  Sharing,
  Unsplit,
  type FinishRequest,
  type ReceiverAdding,
  type ReceiverDeleting,
  type ShareReturnRequest,
  type SharingRequest,
} from '@yunshi/protocols/wechat/profit-sharing';
import { MISSING_CODES } from '@yunshi/protocols/wechat/error';
import { z } from 'zod';
import type { Exchange, WechatClient } from './client.ts';
import { plain, refused, unknown } from '../payment/outcomes.ts';
import { failure, unreadable } from './outcomes.ts';

const Fen = z.int().min(0);

/**
 * - `shared`: every receiver has its part; `amount` is the sum
 * - `pending`: accepted, and carried out later: ask again with the same number
 * - `failed`: carried out, and at least one receiver did not get its part, which the sub merchant keeps; `amount` is what was shared
 */
export const ShareOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('shared'), amount: Fen }),
  plain('pending'),
  z.object({ kind: z.literal('failed'), amount: Fen, why: z.string() }),
  plain('missing'),
  refused,
  unknown,
]);
export type ShareOutcome = z.infer<typeof ShareOutcome>;

export const ReturnOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('returned'), amount: Fen }),
  plain('pending'),
  z.object({ kind: z.literal('failed'), why: z.string() }),
  plain('missing'),
  refused,
  unknown,
]);
export type ReturnOutcome = z.infer<typeof ReturnOutcome>;

export type WechatSharing = ReturnType<typeof wechatSharing>;

const path = '/v3/ecommerce/profitsharing';

export function wechatSharing({ client }: { client: WechatClient }) {
  const post = (target: string, body: object, signal?: AbortSignal) => client.exchange({ method: 'POST', target, body, signal });
  const get = (target: string, query: Readonly<Record<string, string>>, signal?: AbortSignal) =>
    client.exchange({ method: 'GET', target: `${target}${queryOf(query)}`, signal });
  return {
    share: async (ask: SharingRequest, signal?: AbortSignal): Promise<ShareOutcome> => sharingOf(await post(`${path}/orders`, ask, signal)),

    queryShare: async (
      { subMchid, transactionId, shareNo }: { subMchid: string; transactionId: string; shareNo: string },
      signal?: AbortSignal,
    ): Promise<ShareOutcome> =>
      sharingOf(await get(`${path}/orders`, { sub_mchid: subMchid, transaction_id: transactionId, out_order_no: shareNo }, signal)),

    /** Frees what is left of an order. One that has nothing left is done. */
    finish: async (ask: FinishRequest, signal?: AbortSignal): Promise<ShareOutcome> => {
      const answer = await post(`${path}/finish-order`, ask, signal);
      if (answer.kind === 'refused' && answer.code === 'NOT_ENOUGH') return { kind: 'shared', amount: 0 };
      if (answer.kind !== 'done') return failure(answer);
      return Finished.safeParse(answer.body).success ? { kind: 'shared', amount: 0 } : unreadable;
    },

    /** What of an order is still frozen, in fen. */
    unsplit: async (transactionId: string, signal?: AbortSignal) => {
      const answer = await get(`${path}/orders/${encodeURIComponent(transactionId)}/amounts`, {}, signal);
      if (answer.kind !== 'done') return isMissing(answer) ? ({ kind: 'missing' } as const) : failure(answer);
      const read = Unsplit.safeParse(answer.body);
      return read.success ? { kind: 'found' as const, amount: read.data.unsplit_amount } : unreadable;
    },

    giveBack: async (ask: ShareReturnRequest, signal?: AbortSignal): Promise<ReturnOutcome> =>
      returnOf(await post(`${path}/returnorders`, ask, signal)),

    queryReturn: async (
      { subMchid, shareNo, returnNo }: { subMchid: string; shareNo: string; returnNo: string },
      signal?: AbortSignal,
    ): Promise<ReturnOutcome> =>
      returnOf(await get(`${path}/returnorders`, { sub_mchid: subMchid, out_order_no: shareNo, out_return_no: returnNo }, signal)),

    addReceiver: async (ask: ReceiverAdding, signal?: AbortSignal) => named(await post(`${path}/receivers/add`, ask, signal)),
    deleteReceiver: async (ask: ReceiverDeleting, signal?: AbortSignal) => named(await post(`${path}/receivers/delete`, ask, signal)),
  };
}

const isMissing = (answer: Exchange): boolean => answer.kind === 'refused' && answer.status === 404 && MISSING_CODES.has(answer.code);

function queryOf(query: Readonly<Record<string, string>>): string {
  const parts = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

function sharingOf(answer: Exchange): ShareOutcome {
  if (answer.kind !== 'done') return isMissing(answer) ? { kind: 'missing' } : failure(answer);
  const read = Sharing.safeParse(answer.body);
  if (!read.success) return unreadable;
  const { status, receivers } = read.data;
  if (status === 'PROCESSING' || receivers.some(({ result }) => result === 'PENDING')) return { kind: 'pending' };
  const amount = receivers.reduce((sum, one) => sum + (one.result === 'SUCCESS' ? one.amount : 0), 0);
  const closed = receivers.filter(({ result }) => result === 'CLOSED');
  if (closed.length === 0) return { kind: 'shared', amount };
  return { kind: 'failed', amount, why: closed.map(({ fail_reason: why }) => why ?? 'CLOSED').join(', ') };
}

function returnOf(answer: Exchange): ReturnOutcome {
  if (answer.kind !== 'done') return isMissing(answer) ? { kind: 'missing' } : failure(answer);
  const read = ShareReturn.safeParse(answer.body);
  if (!read.success) return unreadable;
  switch (read.data.result) {
    case 'PROCESSING':
      return { kind: 'pending' };
    case 'SUCCESS':
      return { kind: 'returned', amount: read.data.amount };
    case 'FAILED':
      return { kind: 'failed', why: read.data.fail_reason ?? 'FAILED' };
  }
}

function named(answer: Exchange) {
  if (answer.kind !== 'done') return failure(answer);
  return ReceiverNamed.safeParse(answer.body).success ? ({ kind: 'done' } as const) : unreadable;
}
