/** The SQL for what became of the money after it was paid: shares, accounts, withdrawals. */
import type { Tx } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { together } from '../together.ts';
import { selectListOf } from '@yunshi/db/select-list';
import type { Day, Traded } from './bill.ts';
import { ordersOf, refunds } from './order-rows.ts';
import {
  wechatBillMistakes,
  wechatFlows,
  wechatReceivers,
  wechatShareReturns,
  wechatShares,
  wechatWithdrawals,
  type WechatBillMistake,
  type WechatFlow,
  type WechatShare,
  type WechatShareReturn,
  type WechatWithdrawal,
} from './tables.ts';

const shares = rowsOf(wechatShares, 'outOrderNo');
const shareReturns = rowsOf(wechatShareReturns, 'outReturnNo');
const receivers = rowsOf(wechatReceivers, 'receiver');
const flows = rowsOf(wechatFlows, 'flowNo', { onConflict: 'keep' });
const mistakes = rowsOf(wechatBillMistakes, 'mistakeId');
const withdrawals = rowsOf(wechatWithdrawals, 'outRequestNo');

/** What an account holds: `frozen` belongs to orders that are not shared yet. */
export type Holding = { readonly total: number; readonly frozen: number };

export const sharePage = (tx: Tx) => ({
  share: async (outOrderNo: string): Promise<WechatShare | undefined> => (await shares.find(tx, [outOrderNo]))[0],
  shareByOrderId: async (orderId: string): Promise<WechatShare | undefined> => {
    const [row] = await tx<{ outOrderNo: string }[]>`select out_order_no as "outOrderNo" from wechat_shares where order_id = ${orderId}`;
    return row && (await shares.find(tx, [row.outOrderNo]))[0];
  },
  sharesOf: async (outTradeNo: string): Promise<WechatShare[]> => {
    const rows = await tx<{ key: string }[]>`select out_order_no as key from wechat_shares where out_trade_no = ${outTradeNo}`;
    return [...(await shares.find(tx, keysOf(rows)))];
  },
  saveShare: async (share: WechatShare): Promise<void> => void (await shares.save(tx, [share])),
  shareReturn: async (outReturnNo: string): Promise<WechatShareReturn | undefined> => (await shareReturns.find(tx, [outReturnNo]))[0],
  returnsOf: async (outOrderNo: string): Promise<WechatShareReturn[]> => {
    const rows = await tx<{ key: string }[]>`select out_return_no as key from wechat_share_returns where out_order_no = ${outOrderNo}`;
    return [...(await shareReturns.find(tx, keysOf(rows)))];
  },
  saveShareReturn: async (back: WechatShareReturn): Promise<void> => void (await shareReturns.save(tx, [back])),
  receiverNames: async (): Promise<ReadonlySet<string>> =>
    new Set((await tx<{ receiver: string }[]>`select receiver from wechat_receivers`).map(({ receiver }) => receiver)),
  addReceiver: async (receiver: string, relation: string): Promise<void> => void (await receivers.save(tx, [{ receiver, relation }])),
  deleteReceiver: async (receiver: string): Promise<void> => void (await tx`delete from wechat_receivers where receiver = ${receiver}`),
});

export const fundPage = (tx: Tx) => ({
  /** Whoever takes from an account waits for whoever else does. */
  lockAccount: async (account: string): Promise<void> =>
    void (await tx`select pg_advisory_xact_lock(hashtextextended(${`account ${account}`}, 0))`),
  holding: async (account: string): Promise<Holding> => {
    const [row] = await tx<Holding[]>`
      select coalesce((select sum(amount) from wechat_flows where account = ${account}), 0)::bigint as total,
        coalesce((select sum(frozen) from wechat_sub_orders where sub_mchid = ${account} and frozen > 0), 0)::bigint as frozen`;
    return row ?? { total: 0, frozen: 0 };
  },
  addFlows: together(async (added: readonly (readonly WechatFlow[])[]): Promise<void[]> => {
    const rows = added.flat();
    if (rows.length > 0) await flows.save(tx, rows);
    return added.map(() => undefined);
  }),
  withdrawal: async (outRequestNo: string): Promise<WechatWithdrawal | undefined> => (await withdrawals.find(tx, [outRequestNo]))[0],
  withdrawalById: async (withdrawId: string): Promise<WechatWithdrawal | undefined> => {
    const [row] = await tx<{ key: string }[]>`select out_request_no as key from wechat_withdrawals where withdraw_id = ${withdrawId}`;
    return row && (await withdrawals.find(tx, [row.key]))[0];
  },
  saveWithdrawal: async (withdrawal: WechatWithdrawal): Promise<void> => void (await withdrawals.save(tx, [withdrawal])),
});

export const billPage = (tx: Tx) => ({
  /** What was paid, and what was accepted for a refund, on a day. */
  tradedOn: async ({ from, until }: Day, subMchid: string | undefined): Promise<Traded[]> => {
    const mine = subMchid === undefined ? tx`` : tx`and s.sub_mchid = ${subMchid}`;
    const rows = await tx<{ number: string; outTradeNo: string; outRefundNo: string | null }[]>`
      select s.order_number as number, s.out_trade_no as "outTradeNo", null as "outRefundNo"
        from wechat_sub_orders s join wechat_orders o on o.number = s.order_number
        where o.state = 'SUCCESS' and o.paid_at >= ${from} and o.paid_at < ${until} ${mine}
      union all
      select s.order_number, s.out_trade_no, r.out_refund_no
        from wechat_refunds r join wechat_sub_orders s on s.out_trade_no = r.out_trade_no
        where r.created_at >= ${from} and r.created_at < ${until} ${mine}
      order by 2, 3 nulls first`;
    const orders = new Map((await ordersOf(tx, [...new Set(rows.map(({ number }) => number))])).map((order) => [order.number, order]));
    const back = await refunds.find(
      tx,
      rows.flatMap(({ outRefundNo }) => outRefundNo ?? []),
    );
    const refundOf = new Map(back.map((refund) => [refund.outRefundNo, refund]));
    return rows.flatMap(({ number, outTradeNo, outRefundNo }) => {
      const order = orders.get(number);
      const sub = order?.subOrders.find((one) => one.outTradeNo === outTradeNo);
      const refund = outRefundNo === null ? undefined : refundOf.get(outRefundNo);
      return order && sub ? [{ order, sub, ...(refund && { refund }) }] : [];
    });
  },
  /** The movements of a day, of one account or of all others, with what the account held after each. */
  flowsOf: async (
    { from, until }: Day,
    { account, others }: { readonly account: string; readonly others: boolean },
  ): Promise<(WechatFlow & { readonly balance: number })[]> =>
    tx<(WechatFlow & { readonly balance: number })[]>`
      select ${tx.unsafe(selectListOf(wechatFlows, 'f'))}, f.balance from (
        select *, sum(amount) over (partition by account order by at, flow_no)::bigint as balance from wechat_flows
        where ${others ? tx`account <> ${account}` : tx`account = ${account}`} and at < ${until}) f
      where f.at >= ${from} order by f.account, f.at, f.flow_no`,
  mistakesOf: async (day: string): Promise<WechatBillMistake[]> =>
    tx<
      WechatBillMistake[]
    >`select ${tx.unsafe(selectListOf(wechatBillMistakes))} from wechat_bill_mistakes where day = ${day} order by mistake_id`,
  addMistake: async (mistake: WechatBillMistake): Promise<void> => void (await mistakes.save(tx, [mistake])),
  dropMistakes: async (): Promise<void> => void (await tx`delete from wechat_bill_mistakes`),
});

const keysOf = (rows: readonly { readonly key: string }[]): string[] => rows.map(({ key }) => key);

/** What falls due, a page at a time; each is settled under its own lock. */
export async function fundsToSettle(tx: Tx, now: Date, max: number) {
  const due = await tx<{ kind: 'share' | 'return' | 'withdrawal'; key: string }[]>`
    select 'share' as kind, out_order_no as key, settles_at from wechat_shares where status = 'PROCESSING' and settles_at <= ${now}
    union all
    select 'return', out_return_no, settles_at from wechat_share_returns where result = 'PROCESSING' and settles_at <= ${now}
    union all
    select 'withdrawal', out_request_no, settles_at from wechat_withdrawals where settles_at <= ${now}
    order by settles_at limit ${max}`;
  const of = (kind: (typeof due)[number]['kind']) => keysOf(due.filter((one) => one.kind === kind));
  const [shared, returned] = [of('share'), of('return')];
  return {
    shares: shared.length === 0 ? [] : await shares.find(tx, shared),
    returns: returned.length === 0 ? [] : await shareReturns.find(tx, returned),
    withdrawals: of('withdrawal'),
  };
}
