/** A channel, a buyer and a saga that do everything in any order, for the property tests. It knows the truth that we have to find out. */
import * as ledger from '../ledger/ledger.ts';
import type { Entry } from '../ledger/ledger.ts';
import { release, shared, shareReturned, type Shared } from '../settlement/settlement.ts';
import { attempt, check, closeAnswered, placed, queried, seen, type ClosedAnswer, type Placed, type Queried } from './attempts.ts';
import { orderNumber, shareReturnNumber } from './numbers.ts';
import { giveBack, sell } from './payment.ts';
import {
  checkRefunds,
  refundAnswered,
  refundQueried,
  refundSeen,
  refundSold,
  retryRefund,
  type RefundAnswer,
  type RefundQueried,
} from './refunds.ts';
import type { Attempt, Change, Effect, Payment, Refund } from './state.ts';
import { asker, attemptId, bill, noon, opened, order, paymentId } from './stories.ts';

type ChannelOrder = {
  readonly nth: number;
  state: 'unpaid' | 'paid' | 'closed';
  amount: number;
  /** What the marketplace has taken out, and put back by which refunds; what the provider has withdrawn. */
  shared: number | undefined;
  readonly putBack: Map<string, number>;
  withdrawn: number;
};
type ChannelRefund = { readonly attempt: number; readonly amount: number; status: 'processing' | 'succeeded' | 'abnormal' | 'closed' };
type Call = Extract<Effect, { attempt: Attempt }>;
/** What the channel did with a call: carried it out and said so, carried it out and said nothing, or never got it. */
export type Fate = 'answered' | 'lost-after' | 'lost-before';

export class World {
  payment: Payment = opened();
  now = noon;
  readonly orders = new Map<string, ChannelOrder>();
  readonly refunds = new Map<string, ChannelRefund>();
  readonly entries = new Map<string, Entry>();
  readonly answered: string[] = [];
  readonly calls: Call[] = [];
  /** Answers on their way to us, and callbacks, which may come any number of times. */
  readonly answers: ((payment: Payment) => Change)[] = [];
  readonly notices: ((payment: Payment) => Change)[] = [];
  #checkAt: Date | undefined;
  #checkRefundsAt: Date | undefined;
  #releaseAt: Date | undefined;
  #withdrawals = 0;
  #attempts = 0;

  take(change: Change): void {
    this.payment = change.payment;
    for (const effect of change.effects) this.#follow(effect);
  }

  #follow(effect: Effect): void {
    switch (effect.do) {
      case 'place':
      case 'query':
      case 'close':
      case 'refund':
      case 'query-refund':
      case 'share':
      case 'return-share':
        return void this.calls.push(effect);
      case 'release':
        this.#releaseAt = effect.at;
        return;
      case 'check':
        this.#checkAt = effect.at;
        return;
      case 'check-refunds':
        this.#checkRefundsAt = effect.at;
        return;
      case 'post':
        return this.#post(effect.entry);
      case 'answer-paid':
      case 'answer-closed':
      case 'answer-refunded':
        return void this.answered.push(effect.do);
      case 'tell':
      case 'task':
        return;
    }
  }

  // What people do.

  buyerOpens(): void {
    const opening = attempt(this.payment, { channel: 'wechat_native', attemptId: attemptId(this.#attempts + 1), now: this.now });
    if (!opening.ok) return;
    if (opening.value.attemptId === attemptId(this.#attempts + 1)) this.#attempts++;
    this.take(opening.value);
  }
  /** Anybody who has a code that the channel knows may pay it, even one that we have forgotten. */
  buyerPays(which: number, amount: number): void {
    const open = [...this.orders.values()].filter((one) => one.state === 'unpaid' && this.now < bill.payBy);
    const paying = open[which % Math.max(open.length, 1)];
    if (!paying) return;
    paying.state = 'paid';
    paying.amount = amount;
    this.#noticeOf(paying);
  }
  sagaTurnsBack(): void {
    this.take(giveBack(this.payment, bill, { now: this.now, from: asker('collect payment', 'undo'), paymentId }));
  }
  orderCompletes(): void {
    const sold = sell(this.payment, this.now);
    if (sold) this.take(sold);
  }
  operatorRefunds(amount: number): void {
    const change = refundSold(this.payment, { amount, reason: '人工退款' }, this.now);
    if (change.ok) this.take(change.value);
  }
  /** As far as our books say that it may. */
  providerWithdraws(amount: number): void {
    const paid = [...this.orders.values()].find((one) => one.shared !== undefined);
    if (!paid || amount > -this.balance('provider_balance')) return;
    paid.withdrawn += amount;
    this.#post(ledger.providerWithdrawal(String(++this.#withdrawals), this.#withdrawal(amount)));
  }
  #withdrawal(amount: number) {
    return { providerId: bill.providerId, channel: 'wechat_native', amount, at: this.now } as const;
  }
  #post(entry: Entry): void {
    if (!this.entries.has(entry.id)) this.entries.set(entry.id, entry);
  }
  wait(seconds: number): void {
    this.now = new Date(this.now.getTime() + seconds * 1_000);
    if (this.#checkAt && this.#checkAt <= this.now) {
      this.#checkAt = undefined;
      this.take(check(this.payment, this.now));
    }
    if (this.#checkRefundsAt && this.#checkRefundsAt <= this.now) {
      this.#checkRefundsAt = undefined;
      this.take(checkRefunds(this.payment, this.now));
    }
    if (this.#releaseAt && this.#releaseAt <= this.now) {
      this.#releaseAt = undefined;
      this.take(release(this.payment, this.now));
    }
  }
  refundsEnd(as: 'succeeded' | 'abnormal' | 'closed'): void {
    for (const [refundNo, refund] of this.refunds) {
      if (refund.status !== 'processing') continue;
      refund.status = as;
      this.notices.push((payment) =>
        refundSeen(payment, { refundNo, refundId: `R${refundNo}`, status: as, amount: refund.amount }, this.now),
      );
    }
  }
  /** An operator goes through the open tasks: dead cards are paid another way, unpaid refunds are tried anew, providers pay in what is missing. */
  operatorWorks(): void {
    for (const paid of this.orders.values()) {
      if (paid.withdrawn === 0 || !this.payment.refunds.some(({ status }) => status === 'blocked')) continue;
      this.#post(ledger.providerWithdrawalReturned(String(++this.#withdrawals), this.#withdrawal(paid.withdrawn)));
      paid.withdrawn = 0;
    }
    for (const refund of this.refunds.values()) if (refund.status === 'abnormal') refund.status = 'succeeded';
    for (const { refundNo, status } of this.payment.refunds) {
      const retried = status === 'closed' ? retryRefund(this.payment, refundNo, this.now) : undefined;
      if (retried?.ok) this.take(retried.value);
    }
  }

  // What the network does.

  carryOut(which: number, fate: Fate): void {
    const [call] = this.calls.splice(which % Math.max(this.calls.length, 1), 1);
    if (!call) return;
    const answer = fate === 'lost-before' ? this.#unanswered(call) : this.#channel(call);
    this.answers.push(fate === 'answered' ? answer : this.#unanswered(call));
  }
  answerArrives(which: number): void {
    const [answer] = this.answers.splice(which % Math.max(this.answers.length, 1), 1);
    if (answer) this.take(answer(this.payment));
  }
  noticeArrives(which: number): void {
    const notice = this.notices[which % Math.max(this.notices.length, 1)];
    if (notice) this.take(notice(this.payment));
  }
  /** Everything arrives, and time goes on, until nothing more happens. */
  settle(): void {
    for (let round = 0; round < 300; round++) {
      for (let busy = 0; this.calls.length + this.answers.length > 0; busy++) {
        if (busy > 1_000) throw new Error('it never comes to rest');
        this.carryOut(0, 'answered');
        this.answerArrives(0);
      }
      this.refundsEnd('succeeded');
      this.operatorWorks();
      this.wait(6 * 3_600 + 1);
      if (this.calls.length + this.answers.length === 0 && !this.#checkAt && !this.#checkRefundsAt && !this.#releaseAt) return;
    }
    throw new Error('it never comes to rest');
  }

  // What the channel does.

  #channel(call: Call): (payment: Payment) => Change {
    switch (call.do) {
      case 'place':
        return this.#place(call.attempt);
      case 'query':
        return this.#query(call.attempt);
      case 'close':
        return this.#close(call.attempt);
      case 'refund':
        return this.#refund(call.refund);
      case 'query-refund':
        return this.#queryRefund(call.refund);
      case 'share':
        return this.#share(call.attempt, call.commission);
      case 'return-share':
        return this.#returnShare(call.refund);
    }
  }
  #place({ attemptId: id, amount }: Attempt): (payment: Payment) => Change {
    const number = orderNumber(id);
    const known = this.orders.get(number);
    if (!known && this.now >= bill.payBy) return (payment) => placed(payment, id, { kind: 'refused', code: 'PARAM_ERROR' }, this.now);
    const current = known ?? {
      nth: this.#nthOf(id),
      state: 'unpaid' as const,
      amount,
      shared: undefined,
      putBack: new Map(),
      withdrawn: 0,
    };
    this.orders.set(number, current);
    const answer: Placed = current.state === 'unpaid' ? { kind: 'placed', codeUrl: `code of ${number}` } : { kind: current.state };
    return (payment) => placed(payment, id, answer, this.now);
  }
  #query({ attemptId: id }: Attempt): (payment: Payment) => Change {
    const known = this.orders.get(orderNumber(id));
    const answer: Queried = known ? { kind: 'found', order: order(known.nth, known.state, { amount: known.amount }) } : { kind: 'missing' };
    return (payment) => queried(payment, id, answer, this.now);
  }
  #close({ attemptId: id }: Attempt): (payment: Payment) => Change {
    const known = this.orders.get(orderNumber(id));
    if (known?.state === 'unpaid') known.state = 'closed';
    const answer: ClosedAnswer = { kind: known ? (known.state === 'paid' ? 'paid' : 'closed') : 'missing' };
    return (payment) => closeAnswered(payment, id, answer, this.now);
  }
  #refund({ refundNo, attemptId: id, amount }: Refund): (payment: Payment) => Change {
    const paid = this.orders.get(orderNumber(id));
    const known = this.refunds.get(refundNo);
    const fits = paid?.state === 'paid' && amount <= this.#atProvider(paid);
    if (!known && !fits)
      return (payment) => refundAnswered(payment, refundNo, { kind: 'refused', code: 'INVALID_REQUEST', message: '' }, this.now);
    if (!known && paid) this.refunds.set(refundNo, { attempt: paid.nth, amount, status: 'processing' });
    const answer: RefundAnswer = { kind: 'accepted', refundId: `R${refundNo}` };
    return (payment) => refundAnswered(payment, refundNo, answer, this.now);
  }
  #share({ attemptId: id }: Attempt, commission: number): (payment: Payment) => Change {
    const paid = this.orders.get(orderNumber(id));
    // The same number with another amount is another request, which the channel refuses.
    if (!paid || (paid.shared !== undefined && paid.shared !== commission))
      return (payment) => shared(payment, { kind: 'refused', code: 'INVALID_REQUEST', message: '' }, this.now);
    const answer: Shared = { kind: paid.shared === undefined ? 'processing' : 'done' };
    paid.shared = commission;
    return (payment) => shared(payment, answer, this.now);
  }
  #returnShare({ refundNo, attemptId: id, generation, commission }: Refund): (payment: Payment) => Change {
    const returnNo = shareReturnNumber(id, generation);
    const paid = this.orders.get(orderNumber(id));
    const back = [...(paid?.putBack.values() ?? [])].reduce((sum, one) => sum + one, 0);
    const known = paid?.putBack.has(refundNo);
    if (!paid || (!known && back + commission > (paid.shared ?? 0)))
      return (payment) => shareReturned(payment, returnNo, { kind: 'refused', code: 'NOT_ENOUGH', message: '' }, this.now);
    paid.putBack.set(refundNo, commission);
    const answer: Shared = { kind: known ? 'done' : 'processing' };
    return (payment) => shareReturned(payment, returnNo, answer, this.now);
  }
  /** What of an order's money is in the provider's hands at the channel. */
  #atProvider(paid: ChannelOrder): number {
    const gone = [...this.refunds.values()].filter((one) => one.attempt === paid.nth && one.status !== 'closed');
    const back = [...paid.putBack.values()].reduce((sum, one) => sum + one, 0);
    return paid.amount - gone.reduce((sum, one) => sum + one.amount, 0) - (paid.shared ?? 0) + back - paid.withdrawn;
  }
  #queryRefund({ refundNo }: Refund): (payment: Payment) => Change {
    const known = this.refunds.get(refundNo);
    const answer: RefundQueried = known
      ? { kind: 'found', refund: { refundNo, refundId: `R${refundNo}`, status: known.status, amount: known.amount } }
      : { kind: 'missing' };
    return (payment) => refundQueried(payment, refundNo, answer, this.now);
  }
  #unanswered(call: Call): (payment: Payment) => Change {
    const unknown = { kind: 'unknown' } as const;
    switch (call.do) {
      case 'place':
        return (payment) => placed(payment, call.attempt.attemptId, unknown, this.now);
      case 'query':
        return (payment) => queried(payment, call.attempt.attemptId, unknown, this.now);
      case 'close':
        return (payment) => closeAnswered(payment, call.attempt.attemptId, unknown, this.now);
      case 'refund':
        return (payment) => refundAnswered(payment, call.refund.refundNo, unknown, this.now);
      case 'query-refund':
        return (payment) => refundQueried(payment, call.refund.refundNo, unknown, this.now);
      case 'share':
        return (payment) => shared(payment, unknown, this.now);
      case 'return-share':
        return (payment) => shareReturned(payment, shareReturnNumber(call.refund.attemptId, call.refund.generation), unknown, this.now);
    }
  }
  #noticeOf({ nth, amount }: ChannelOrder): void {
    const told = order(nth, 'paid', { amount });
    this.notices.push((payment) => seen(payment, attemptId(nth), told, this.now));
  }
  #nthOf(id: string): number {
    return Number(id.slice(-12));
  }

  /** What the accounts of a class hold, over all entries. */
  balance(account: string): number {
    return [...this.entries.values()]
      .flatMap((entry) => entry.postings)
      .reduce((sum, posting) => sum + (posting.account === account || posting.account.startsWith(`${account}:`) ? posting.amount : 0), 0);
  }
  withdrawn(): number {
    return [...this.orders.values()].reduce((sum, one) => sum + one.withdrawn, 0);
  }
  /** What has come through the channel of the buyer's money and not gone back to the buyer. */
  held(): number {
    const paid = [...this.orders.values()].reduce((sum, one) => sum + (one.state === 'paid' ? one.amount : 0), 0);
    return paid - [...this.refunds.values()].reduce((sum, one) => sum + (one.status === 'succeeded' ? one.amount : 0), 0);
  }
}
