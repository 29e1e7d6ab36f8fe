/** What becomes of the money after it was paid: it is shared out, given back, withdrawn. */
import { chinaTime } from '@yunshi/kernel/calendar';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { Balance, Withdraw, WithdrawAccepted, WithdrawRequest } from '@yunshi/protocols/wechat/fund';
import type {
  Finished,
  FinishRequest,
  ReceiverAdding,
  ReceiverDeleting,
  ReceiverNamed,
  ShareReturn,
  ShareReturnRequest,
  Sharing,
  SharingRequest,
  Unsplit,
} from '@yunshi/protocols/wechat/profit-sharing';
import type { Page } from './book.ts';
import { digits, newNotice, type Deps, type Trace } from './deps.ts';
import { refusals, type Refusal } from './refusal.ts';
import { finishSharing, returnShare, returnView, settleShare, shareOut, shareView } from './share.ts';
import type { Business, WechatFlow, WechatShare, WechatShareReturn, WechatWithdrawal } from './tables.ts';

/** A bank sends a withdrawal back this long after it has taken it. */
const BANK_RETURN_MS = 3_600_000;

/** One movement of one account. `nth` tells the movements of one cause apart. */
export const flow = (
  business: Business,
  { account, amount, at, businessNo, proof }: Pick<WechatFlow, 'account' | 'amount' | 'at' | 'businessNo' | 'proof'>,
): WechatFlow => ({ flowNo: `${business}:${businessNo}:${account}`, account, amount, at, business, businessNo, proof });

const freshFor = (deps: Deps, ask: object) => {
  const now = deps.clock.now();
  return { asked: JSON.stringify(ask), number: () => `30${digits(26)}`, now, settlesAt: new Date(now.getTime() + deps.settlesMs) };
};

/** By the merchant's signature alone: the account of the sub merchant is named in the body. */
export const sharingSide = (deps: Deps) => {
  const { book, switches, merchant, wake, sharePercentMax } = deps;
  const named = (type: string, account: string): string => `${type} ${account}`;
  const platform = named('MERCHANT_ID', merchant.mchid);
  return {
    share: async (ask: SharingRequest): Promise<Result<Sharing, Refusal>> => {
      const number = await book.read.numberOfPayment({ transactionId: ask.transaction_id });
      if (number === undefined) return no(refusals.transactionMissing);
      const shared = await book.change(number, async (page) => {
        const payment = await page.payment(number, { transactionId: ask.transaction_id });
        const known = await page.share(ask.out_order_no);
        const receivers = await page.receiverNames();
        const decided = shareOut(known, payment, ask, {
          ...freshFor(deps, ask),
          earlier: payment ? await page.sharesOf(payment.sub.outTradeNo) : [],
          isReceiver: (type, account) => named(type, account) === platform || receivers.has(named(type, account)),
          endsAs: !known && switches.take('share-closed') ? 'CLOSED' : 'SUCCESS',
          percentMax: sharePercentMax,
        });
        if (decided.ok && !known) {
          await page.saveShare(decided.value.share);
          await page.saveSubOrder(decided.value.sub);
        }
        return decided;
      });
      wake();
      return shared.ok ? ok(shareView(shared.value.share)) : shared;
    },

    finishSharing: async (ask: FinishRequest): Promise<Result<Finished, Refusal>> => {
      const number = await book.read.numberOfPayment({ transactionId: ask.transaction_id });
      if (number === undefined) return no(refusals.transactionMissing);
      const finished = await book.change(number, async (page) => {
        const known = await page.share(ask.out_order_no);
        const payment = await page.payment(number, { transactionId: ask.transaction_id });
        const decided = finishSharing(known, payment, ask, freshFor(deps, ask));
        if (decided.ok && !known) {
          await page.saveShare(decided.value.share);
          await page.saveSubOrder(decided.value.sub);
        }
        return decided;
      });
      if (!finished.ok) return finished;
      const { subMchid, transactionId, outOrderNo, orderId } = finished.value.share;
      return ok({ sub_mchid: subMchid, transaction_id: transactionId, out_order_no: outOrderNo, order_id: orderId });
    },

    queryShare: async (outOrderNo: string, subMchid: string): Promise<Result<Sharing, Refusal>> => {
      const share = await book.read.share(outOrderNo);
      return share?.subMchid === subMchid ? ok(shareView(share)) : no(refusals.shareMissing);
    },

    unsplit: async (transactionId: string): Promise<Result<Unsplit, Refusal>> => {
      const number = await book.read.numberOfPayment({ transactionId });
      const payment = number === undefined ? undefined : await book.read.payment(number, { transactionId });
      if (!payment) return no(refusals.transactionMissing);
      return ok({ transaction_id: transactionId, unsplit_amount: payment.sub.frozen });
    },

    returnShare: async (ask: ShareReturnRequest): Promise<Result<ShareReturn, Refusal>> => {
      const share = await findShare(book.read, ask.out_order_no, ask.order_id);
      if (!share) return no(refusals.shareMissing);
      const number = await book.read.numberOfPayment({ outTradeNo: share.outTradeNo });
      const returned = await book.change(number ?? share.outTradeNo, async (page) => {
        const known = await page.shareReturn(ask.out_return_no);
        const earlier = await page.returnsOf(share.outOrderNo);
        const endsAs = !known && switches.take('share-return-fails') ? 'FAILED' : 'SUCCESS';
        const decided = returnShare(known, await page.share(share.outOrderNo), ask, { ...freshFor(deps, ask), earlier, endsAs });
        if (decided.ok && !known) {
          // It leaves the receiver now, and arrives when it is settled.
          await page.saveShareReturn(decided.value);
          const { returnNo: businessNo, outReturnNo: proof, amount, createdAt: at, returnMchid: account } = decided.value;
          await page.addFlows([flow('分账回退', { account, amount: -amount, at, businessNo, proof })]);
        }
        return decided;
      });
      wake();
      return returned.ok ? ok(returnView(returned.value, share)) : returned;
    },

    queryReturn: async (
      outReturnNo: string,
      by: { readonly subMchid: string; readonly outOrderNo?: string | undefined; readonly orderId?: string | undefined },
    ): Promise<Result<ShareReturn, Refusal>> => {
      const back = await book.read.shareReturn(outReturnNo);
      const share = back && (await findShare(book.read, by.outOrderNo, by.orderId));
      if (!back || share?.outOrderNo !== back.outOrderNo || share.subMchid !== by.subMchid) return no(refusals.returnMissing);
      return ok(returnView(back, share));
    },

    addReceiver: async ({ type, account, relation_type }: ReceiverAdding): Promise<Result<ReceiverNamed, Refusal>> => {
      await book.read.addReceiver(named(type, account), relation_type);
      return ok({ type, account });
    },
    deleteReceiver: async ({ type, account }: ReceiverDeleting): Promise<Result<ReceiverNamed, Refusal>> => {
      await book.read.deleteReceiver(named(type, account));
      return ok({ type, account });
    },
  };
};

const findShare = (page: Page, outOrderNo: string | undefined, orderId: string | undefined): Promise<WechatShare | undefined> =>
  outOrderNo === undefined ? page.shareByOrderId(orderId ?? '') : page.share(outOrderNo);

export const withdrawalSide = (deps: Deps) => {
  const { book, switches, wake } = deps;
  return {
    balance: async (subMchid: string): Promise<Result<Balance, Refusal>> => {
      const { total, frozen } = await book.read.holding(subMchid);
      return ok({ sub_mchid: subMchid, available_amount: total - frozen, pending_amount: frozen, account_type: 'BASIC' });
    },

    withdraw: async (ask: WithdrawRequest, { traceparent }: Trace): Promise<Result<WithdrawAccepted, Refusal>> => {
      const { asked, now, settlesAt } = freshFor(deps, ask);
      const accepted = await book.change(`withdraw ${ask.out_request_no}`, async (page) => {
        const known = await page.withdrawal(ask.out_request_no);
        if (known) return known.asked === asked ? ok(known) : no(refusals.otherParameters);
        await page.lockAccount(ask.sub_mchid);
        const { total, frozen } = await page.holding(ask.sub_mchid);
        if (ask.amount > total - frozen) return no(refusals.notEnoughToWithdraw);
        const endsAs = switches.take('withdrawal-fails') ? 'FAIL' : switches.take('withdrawal-returned') ? 'REFUND' : 'SUCCESS';
        const fresh: WechatWithdrawal = {
          outRequestNo: ask.out_request_no,
          withdrawId: `12${digits(20)}`,
          subMchid: ask.sub_mchid,
          amount: ask.amount,
          remark: ask.remark ?? null,
          asked,
          status: 'INIT',
          endsAs,
          createdAt: now,
          changedAt: now,
          settlesAt,
          notifyUrl: ask.notify_url ?? null,
          traceparent: traceparent ?? null,
        };
        await page.saveWithdrawal(fresh);
        await page.addFlows([flowOfWithdrawal('提现', fresh, -fresh.amount, now)]);
        return ok(fresh);
      });
      wake();
      if (!accepted.ok) return accepted;
      return ok({ sub_mchid: ask.sub_mchid, withdraw_id: accepted.value.withdrawId, out_request_no: ask.out_request_no });
    },

    queryWithdrawal: async (
      by: { readonly outRequestNo: string } | { readonly withdrawId: string },
      subMchid: string,
    ): Promise<Result<Withdraw, Refusal>> => {
      const found = 'outRequestNo' in by ? await book.read.withdrawal(by.outRequestNo) : await book.read.withdrawalById(by.withdrawId);
      return found?.subMchid === subMchid ? ok(withdrawalView(found, deps.merchant.mchid)) : no(refusals.withdrawalMissing);
    },
  };
};

const flowOfWithdrawal = (business: '提现' | '提现退回', withdrawal: WechatWithdrawal, amount: number, at: Date): WechatFlow =>
  flow(business, { account: withdrawal.subMchid, amount, at, businessNo: withdrawal.withdrawId, proof: withdrawal.outRequestNo });

const reasons = { FAIL: '银行卡信息有误', REFUND: '银行退票' } as const;

const withdrawalView = (one: WechatWithdrawal, mchid: string): Withdraw => ({
  sub_mchid: one.subMchid,
  sp_mchid: mchid,
  status: one.status,
  withdraw_id: one.withdrawId,
  out_request_no: one.outRequestNo,
  amount: one.amount,
  create_time: chinaTime(one.createdAt),
  update_time: chinaTime(one.changedAt),
  ...(one.status === 'FAIL' || one.status === 'REFUND' ? { reason: reasons[one.status] } : {}),
  ...(one.remark === null ? {} : { remark: one.remark }),
});

/** Ends what is due, each once. */
export const fundSettling = (deps: Deps) => {
  const { book, clock } = deps;
  const settleOne = async (due: WechatShare): Promise<void> => {
    const number = await book.read.numberOfPayment({ outTradeNo: due.outTradeNo });
    if (number === undefined) return;
    await book.change(number, async (page) => {
      const share = await page.share(due.outOrderNo);
      const payment = await page.payment(number, { outTradeNo: due.outTradeNo });
      if (share?.status !== 'PROCESSING' || !payment) return;
      const now = clock.now();
      const settled = settleShare(share, payment.sub, now);
      await page.saveShare(settled.share);
      await page.saveSubOrder(settled.sub);
      await page.addFlows(flowsOfShare(settled.share, now));
    });
  };
  const settleReturn = async (due: WechatShareReturn): Promise<void> => {
    const number = await book.read.numberOfPayment({ outTradeNo: due.outTradeNo });
    if (number === undefined) return;
    await book.change(number, async (page) => {
      const back = await page.shareReturn(due.outReturnNo);
      const share = back && (await page.share(back.outOrderNo));
      if (back?.result !== 'PROCESSING' || !share) return;
      const at = clock.now();
      await page.saveShareReturn({ ...back, result: back.endsAs, endedAt: at });
      // The sub merchant gets it freely, even where the rest is frozen still; one that fails goes back to the receiver.
      const account = back.endsAs === 'SUCCESS' ? share.subMchid : back.returnMchid;
      const businessNo = back.endsAs === 'SUCCESS' ? back.returnNo : `${back.returnNo}R`;
      await page.addFlows([flow('分账回退', { account, amount: back.amount, at, businessNo, proof: back.outReturnNo })]);
    });
  };
  const settleWithdrawal = async (outRequestNo: string): Promise<void> => {
    await book.change(`withdraw ${outRequestNo}`, async (page) => {
      const found = await page.withdrawal(outRequestNo);
      const now = clock.now();
      if (!found?.settlesAt || found.settlesAt > now) return;
      const first = found.status === 'INIT' && found.endsAs === 'REFUND';
      const changed: WechatWithdrawal = {
        ...found,
        status: first ? 'SUCCESS' : found.endsAs,
        changedAt: now,
        settlesAt: first ? new Date(now.getTime() + BANK_RETURN_MS) : null,
      };
      await page.saveWithdrawal(changed);
      if (changed.status !== 'SUCCESS') await page.addFlows([flowOfWithdrawal('提现退回', changed, changed.amount, now)]);
      if (changed.notifyUrl !== null) await page.addNotice(noticeOfWithdrawal(changed, changed.notifyUrl, deps));
    });
  };
  return {
    settleFunds: async (max: number): Promise<void> => {
      const due = await book.fundsToSettle(clock.now(), max);
      for (const share of due.shares) await settleOne(share);
      for (const back of due.returns) await settleReturn(back);
      for (const outRequestNo of due.withdrawals) await settleWithdrawal(outRequestNo);
    },
  };
};

function flowsOfShare(share: WechatShare, at: Date): WechatFlow[] {
  const { subMchid, outOrderNo: proof } = share;
  return share.receivers
    .filter(({ result }) => result === 'SUCCESS')
    .flatMap(({ detailId: businessNo, account, amount }) => [
      flow('分账', { account: subMchid, amount: -amount, at, businessNo, proof }),
      flow('分账', { account, amount, at, businessNo, proof }),
    ]);
}

function noticeOfWithdrawal(withdrawal: WechatWithdrawal, url: string, deps: Deps) {
  const content = withdrawalView(withdrawal, deps.merchant.mchid);
  const envelope = newNotice(deps, { about: withdrawal.outRequestNo, url, traceparent: withdrawal.traceparent }, content);
  return { ...envelope, eventType: 'MCHWITHDRAW.CHANGE', originalType: 'mch_withdraw', summary: '商户提现状态变更' };
}
