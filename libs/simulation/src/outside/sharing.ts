import type { Exchange } from '@yunshi/payment-gateway/wechat/client';
import type { FinishRequest, ShareReturnRequest, SharingRequest } from '@yunshi/protocols/wechat/profit-sharing';
import type { Payment } from '@yunshi/sandbox/wechat/refund';
import type { Refusal } from '@yunshi/sandbox/wechat/refusal';
import {
  finishSharing,
  returnShare,
  returnView,
  settleShare,
  shareOut,
  shareView,
  USUAL_SHARE_PERCENT,
} from '@yunshi/sandbox/wechat/share';
import type { WechatShare, WechatShareReturn, WechatSubOrder } from '@yunshi/sandbox/wechat/tables';
import type { Result } from '@yunshi/kernel/result';
import type { World } from '../world.ts';

/** What sharing needs of the book of payments. */
export type SharedBook = {
  readonly paymentOf: (transactionId: string) => Payment | undefined;
  readonly save: (sub: WechatSubOrder) => void;
  /** Makes the numbers that WeChat Pay gives. */
  readonly number: (prefix: string) => string;
};

/** Longest time that a share, or its return, is under way. */
const takesMsMax = 600_000;

/** Profit sharing 分账 at WeChat Pay: the decisions of the sandbox. */
export class Sharing {
  readonly shares = new Map<string, WechatShare>();
  readonly returns = new Map<string, WechatShareReturn>();
  readonly #world: World;
  readonly #book: SharedBook;

  constructor(world: World, book: SharedBook) {
    this.#world = world;
    this.#book = book;
  }

  /** Answers a POST to `/v3/ecommerce/profitsharing/…`. */
  serve(what: string | undefined, ask: object): Exchange {
    switch (what) {
      case 'orders':
        return this.#share(ask as SharingRequest);
      case 'finish-order':
        return this.#finish(ask as FinishRequest);
      case 'returnorders':
        return this.#return(ask as ShareReturnRequest);
      default:
        throw new Error(`nobody plays ${what} of profit sharing`);
    }
  }

  /** What was shared out of a payment for good, less what came back, in fen. */
  takenOf(transactionId: string): number {
    const shares = [...this.shares.values()].filter((one) => one.transactionId === transactionId);
    const back = [...this.returns.values()].filter((one) => one.result === 'SUCCESS');
    return shares.reduce((sum, { outOrderNo, receivers }) => {
      const got = receivers.filter(({ result }) => result === 'SUCCESS');
      return sum + sumOf(got) - sumOf(back.filter((one) => one.outOrderNo === outOrderNo));
    }, 0);
  }

  #share(ask: SharingRequest): Exchange {
    const known = this.shares.get(ask.out_order_no);
    const payment = this.#book.paymentOf(ask.transaction_id);
    const earlier = [...this.shares.values()].filter(({ transactionId }) => transactionId === ask.transaction_id);
    const making = {
      ...this.#making(ask),
      earlier,
      isReceiver: () => true,
      endsAs: 'SUCCESS',
      percentMax: () => USUAL_SHARE_PERCENT,
    } as const;
    return this.#taken(known, shareOut(known, payment, ask, making));
  }

  #finish(ask: FinishRequest): Exchange {
    const known = this.shares.get(ask.out_order_no);
    return this.#taken(known, finishSharing(known, this.#book.paymentOf(ask.transaction_id), ask, this.#making(ask)));
  }

  #taken(
    known: WechatShare | undefined,
    decided: Result<{ readonly share: WechatShare; readonly sub: WechatSubOrder }, Refusal>,
  ): Exchange {
    if (!decided.ok) return refused(decided.error);
    const { share, sub } = decided.value;
    if (!known) {
      this.shares.set(share.outOrderNo, share);
      this.#book.save(sub);
      this.#at(share.settlesAt, () => this.#settle(share.outOrderNo));
    }
    return { kind: 'done', body: shareView(share) };
  }

  #settle(outOrderNo: string): void {
    const share = this.shares.get(outOrderNo);
    const payment = share && this.#book.paymentOf(share.transactionId);
    if (share?.status !== 'PROCESSING' || !payment) return;
    const settled = settleShare(share, payment.sub, this.#world.now());
    this.shares.set(outOrderNo, settled.share);
    this.#book.save(settled.sub);
    this.#world.reach('profit shared');
  }

  #return(ask: ShareReturnRequest): Exchange {
    const known = this.returns.get(ask.out_return_no);
    const share = this.shares.get(ask.out_order_no ?? '');
    const earlier = [...this.returns.values()].filter(({ outOrderNo }) => outOrderNo === ask.out_order_no);
    const decided = returnShare(known, share, ask, { ...this.#making(ask), earlier, endsAs: 'SUCCESS' });
    if (!decided.ok) return refused(decided.error);
    const back = decided.value;
    if (!known) {
      this.returns.set(back.outReturnNo, back);
      this.#at(back.settlesAt, () => {
        this.returns.set(back.outReturnNo, { ...back, result: back.endsAs, endedAt: this.#world.now() });
        this.#world.reach('shared profit returned');
      });
    }
    return { kind: 'done', body: returnView(back, share!) };
  }

  #making(ask: object) {
    const now = this.#world.now();
    const settlesAt = new Date(now.getTime() + this.#world.dice.spread(1, takesMsMax));
    return { asked: JSON.stringify(ask), number: () => this.#book.number('30'), now, settlesAt };
  }

  #at(time: Date, run: () => void): void {
    this.#world.appoint(time.getTime() - this.#world.now().getTime(), run);
  }
}

const sumOf = (parts: readonly { readonly amount: number }[]): number => parts.reduce((sum, { amount }) => sum + amount, 0);
const refused = ({ status, body: { code, message } }: Refusal): Exchange => ({ kind: 'refused', status, code, message });
