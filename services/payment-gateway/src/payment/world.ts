/** A channel, a buyer and a saga that do everything in any order, for the property tests. It knows the truth that we have to find out. */
import type { Channel } from '@yunshi/contracts/payment';
import * as ledger from '../ledger/ledger.ts';
import type { Entry } from '../ledger/ledger.ts';
import type { UserId } from '@yunshi/kernel/ids';
import { decide, propose, type RevocationOutcome } from '../revocation/settlement.ts';
import { release, shared, shareReturned, type Shared } from '../settlement/settlement.ts';
import { attempt, check, closeAnswered, leave, placed, queried, seen } from './attempts.ts';
import type { CloseOutcome, OrderSeen, PlaceOutcome, QueryOutcome, RefundOutcome, RefundQueryOutcome } from './channel.ts';
import { endOf } from './channels.ts';
import { orderNumber, shareReturnNumber } from './numbers.ts';
import { answerPause, pause, rebill, resume } from './pause.ts';
import { giveBack, sell } from './payment.ts';
import { checkRefunds, refundAnswered, refundQueried, refundSeen, refundSold, retryRefund } from './refunds.ts';
import type { Attempt, Change, Effect, Payment, Refund } from './state.ts';
import { asker, attemptId, bill, noon, opened, order, paymentId, refused, shownCode, shownPage, unknown } from './stories.ts';

type ChannelOrder = {
  readonly nth: number;
  readonly channel: Channel;
  readonly expiresAt: Date;
  readonly endsAt: Date;
  state: OrderSeen['state'];
  amount: number;
  /** The channel will not find the marketplace's account when it shares this out: all of it stays the provider's. */
  sharesFail?: true;
  /** What the marketplace has taken out, and put back by which refunds; what the provider has withdrawn. */
  shared: number | undefined;
  readonly putBack: Map<string, number>;
  withdrawn: number;
  /** UnionPay: whether the page has been opened. What was never opened we end ourselves; what was, nobody can. */
  visited: boolean;
};
const isCorporate = ({ channel }: ChannelOrder): boolean => channel !== 'wechat_native';
type ChannelRefund = { readonly attempt: number; readonly amount: number; status: 'processing' | 'succeeded' | 'abnormal' | 'closed' };
type Call = Extract<Effect, { attempt: Attempt }>;
/** What the channel did with a call: carried it out and said so, carried it out and said nothing, or never got it. */
export type Fate = 'answered' | 'lost-after' | 'lost-before';

export class World {
  payment: Payment;
  now = noon;
  readonly orders = new Map<string, ChannelOrder>();
  readonly refunds = new Map<string, ChannelRefund>();
  readonly entries = new Map<string, Entry>();
  readonly answered: string[] = [];
  /** What the channel has said to closes. */
  readonly closes = new Set<CloseOutcome['kind']>();
  readonly calls: Call[] = [];
  /** Answers on their way to us, and callbacks, which may come any number of times. */
  readonly answers: ((payment: Payment) => Change)[] = [];
  readonly notices: ((payment: Payment) => Change)[] = [];
  /** Whether the saga that changes the price has been told that nobody can pay, and has not let go since. */
  isPaused = false;
  /** Until when the saga waits. */
  heldUntil: Date = bill.payBy;
  readonly #revocations: ((payment: Payment) => Change)[] = [];
  #checkAt: Date | undefined;
  #checkRefundsAt: Date | undefined;
  #releaseAt: Date | undefined;
  #withdrawals = 0;
  #attempts = 0;

  /** Of what the order costs, so much is for a server. */
  constructor(serverAmount = 0) {
    this.payment = { ...opened(), serverAmount };
  }

  take(made: Change): void {
    const change = answerPause(made);
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
      case 'answer-held':
        this.heldUntil = effect.until;
        return;
      case 'answer-paused':
        this.isPaused = true;
        return void this.answered.push(effect.do);
      case 'answer-paid':
      case 'answer-closed':
      case 'answer-not-paused':
      case 'answer-refunded':
        return void this.answered.push(effect.do);
      case 'tell':
      case 'task':
        return;
    }
  }

  // What people do.

  buyerOpens(channel: Channel): void {
    const bank = channel === 'corporate_bank' ? ('ICBC' as const) : null;
    const opening = attempt(this.payment, { channel, bank, attemptId: attemptId(this.#attempts + 1), now: this.now });
    if (!opening.ok) return opening.error === 'attempt-open' ? this.take(leave(this.payment, this.now)) : undefined;
    if (opening.value.attemptId === attemptId(this.#attempts + 1)) this.#attempts++;
    this.take(opening.value);
  }
  /** Anybody who has a code that the channel knows may pay it, even one that we have forgotten. */
  buyerPays(which: number, amount?: number): void {
    const paying = this.#oneOf(
      which,
      ({ channel, state, expiresAt }) => channel === 'wechat_native' && state === 'unpaid' && this.now < expiresAt,
    );
    if (paying) this.#becomes(paying, 'paid', amount ?? paying.amount);
  }
  buyerVisits(which: number): void {
    const open = this.#oneOf(
      which,
      ({ channel, state, expiresAt }) => channel === 'unionpay_b2b' && state === 'unpaid' && this.now < expiresAt,
    );
    if (open) open.visited = true;
  }
  makerSubmits(which: number): void {
    const open = this.#oneOf(
      which,
      (one) => isCorporate(one) && (one.channel !== 'unionpay_b2b' || one.visited) && one.state === 'unpaid' && this.now < one.expiresAt,
    );
    if (open) open.state = 'approving';
  }
  checkerDecides(which: number, as: 'paid' | 'closed'): void {
    const waiting = this.#oneOf(which, ({ state }) => state === 'approving');
    if (waiting) this.#becomes(waiting, as, waiting.amount);
  }
  /** 退票: of what has not been refunded, and no refund of it goes through any more. */
  bankRevokes(which: number): void {
    const refundsOf = (nth: number) => [...this.refunds.values()].filter((refund) => refund.attempt === nth);
    const paid = this.#oneOf(
      which,
      ({ channel, state, nth, amount }) => channel === 'corporate_bank' && state === 'paid' && refunded(refundsOf(nth)) < amount,
    );
    if (!paid) return;
    for (const refund of refundsOf(paid.nth)) if (refund.status !== 'succeeded') refund.status = 'closed';
    this.#becomes(paid, 'revoked', paid.amount);
  }
  /** Two operators settle what a bank has taken back. */
  operatorsSettle(outcome: RevocationOutcome): void {
    const [by, other] = ['usr_1', 'usr_2'] as [UserId, UserId];
    const proposed = propose(this.payment, undefined, { outcome, evidence: '回单' }, { by, now: this.now });
    const decided = proposed.ok && decide(this.payment, proposed.value, 'approve', { by: other, now: this.now });
    if (decided && decided.ok && decided.value.change) this.take(decided.value.change);
  }
  #oneOf(which: number, fits: (order: ChannelOrder) => boolean): ChannelOrder | undefined {
    const open = [...this.orders.values()].filter(fits);
    return open[which % Math.max(open.length, 1)];
  }
  #becomes(known: ChannelOrder, state: 'paid' | 'closed' | 'revoked', amount: number): void {
    known.state = state;
    known.amount = amount;
    const told = order(known.nth, state, { amount });
    const notice = (payment: Payment) => seen(payment, attemptId(known.nth), told, this.now);
    this.notices.push(notice);
    if (state === 'revoked') this.#revocations.push(notice);
  }
  sagaTurnsBack(): void {
    // Of a completed order no saga turns back; whether it is completed the saga knows, and we do where it matters.
    if (this.payment.status === 'restored') return;
    this.take(giveBack(this.payment, bill, { now: this.now, from: asker('collect payment', 'undo'), paymentId }));
  }
  /** 改价, as its saga does it: a price comes only after the answer, an undo at any time. */
  providerPauses(): void {
    if (this.payment.pause) return;
    const paused = pause(this.payment, asker('pause payment'), this.now);
    if (paused.ok) this.take(paused.value);
  }
  sagaResumes(): void {
    this.isPaused = false;
    this.take(resume(this.payment));
  }
  sagaRebills(amount: number): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.take(rebill(this.payment, amount, this.now));
  }
  sharesWillFail(): void {
    for (const paid of this.orders.values()) if (paid.shared === undefined) paid.sharesFail = true;
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
    for (const known of this.orders.values()) {
      const over = (known.state === 'approving' && this.now >= known.endsAt) || (known.state === 'unpaid' && this.now >= known.expiresAt);
      if (isCorporate(known) && over) known.state = 'closed';
    }
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
      // Nobody asks after money that has come: that a bank has taken it back is told, or stands in the daily bill.
      this.#revocations.splice(0).forEach((revocation) => this.take(revocation(this.payment)));
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
        return this.#share(call.attempt, call.own);
      case 'return-share':
        return this.#returnShare(call.refund);
    }
  }
  #place(wanted: Attempt): (payment: Payment) => Change {
    const { attemptId: id, expiresAt } = wanted;
    const known = this.orders.get(orderNumber(id));
    if (!known && this.now >= expiresAt) return (payment) => placed(payment, id, refused('PARAM_ERROR'), this.now);
    const answer = this.#shown(known ?? this.#fresh(wanted, 'unpaid'));
    return (payment) => placed(payment, id, answer, this.now);
  }
  #fresh({ attemptId: id, amount, channel, expiresAt }: Attempt, state: 'unpaid' | 'closed'): ChannelOrder {
    const endsAt = endOf({ channel, expiresAt });
    const nothing = { shared: undefined, putBack: new Map<string, number>(), withdrawn: 0, visited: false };
    const fresh: ChannelOrder = { nth: this.#nthOf(id), channel, expiresAt, endsAt, state, amount, ...nothing };
    this.orders.set(orderNumber(id), fresh);
    return fresh;
  }
  #shown({ state, channel }: ChannelOrder): PlaceOutcome {
    if (state === 'paid' || state === 'closed') return { kind: state };
    if (state === 'revoked') return { kind: 'paid' };
    return channel === 'wechat_native' ? shownCode : shownPage;
  }
  #query({ attemptId: id }: Attempt): (payment: Payment) => Change {
    const known = this.orders.get(orderNumber(id));
    const answer: QueryOutcome = known
      ? { kind: 'found', order: order(known.nth, known.state, { amount: known.amount }) }
      : { kind: 'missing' };
    return (payment) => queried(payment, id, answer, this.now);
  }
  #close(leaving: Attempt): (payment: Payment) => Change {
    const { attemptId: id, channel } = leaving;
    // Of UnionPay's orders the page is our own: what it has never shown, it never will.
    const known = this.orders.get(orderNumber(id)) ?? (channel === 'unionpay_b2b' ? this.#fresh(leaving, 'closed') : undefined);
    if (known?.state === 'unpaid' && !known.visited) known.state = 'closed';
    const said = { unpaid: 'stays', closed: 'closed', paid: 'paid', revoked: 'paid', approving: 'held' } as const;
    const answer: CloseOutcome = { kind: known ? said[known.state] : 'missing' };
    this.closes.add(answer.kind);
    return (payment) => closeAnswered(payment, id, answer, this.now);
  }
  #refund({ refundNo, attemptId: id, amount }: Refund): (payment: Payment) => Change {
    const paid = this.orders.get(orderNumber(id));
    const known = this.refunds.get(refundNo);
    const fits = paid?.state === 'paid' && amount <= this.#atProvider(paid);
    if (!known && !fits) return (payment) => refundAnswered(payment, refundNo, refused('INVALID_REQUEST'), this.now);
    if (!known && paid) this.refunds.set(refundNo, { attempt: paid.nth, amount, status: 'processing' });
    const answer: RefundOutcome = { kind: 'accepted', refundId: `R${refundNo}` };
    return (payment) => refundAnswered(payment, refundNo, answer, this.now);
  }
  #share({ attemptId: id }: Attempt, own: number): (payment: Payment) => Change {
    const paid = this.orders.get(orderNumber(id));
    // The same number with another amount is another request, which the channel refuses.
    if (!paid || (paid.shared !== undefined && paid.shared !== own))
      return (payment) => shared(payment, { kind: 'refused', code: 'INVALID_REQUEST', message: '' }, this.now);
    const ended: Shared = paid.sharesFail ? { kind: 'closed', why: 'NO_RELATION' } : { kind: 'done' };
    const answer: Shared = paid.shared === undefined ? { kind: 'processing' } : ended;
    paid.shared = own;
    return (payment) => shared(payment, answer, this.now);
  }
  #returnShare({ refundNo, attemptId: id, generation, commission, server }: Refund): (payment: Payment) => Change {
    const returnNo = shareReturnNumber(id, generation);
    const paid = this.orders.get(orderNumber(id));
    const back = [...(paid?.putBack.values() ?? [])].reduce((sum, one) => sum + one, 0);
    const known = paid?.putBack.has(refundNo);
    if (!paid || (!known && back + commission + server > (paid.sharesFail ? 0 : (paid.shared ?? 0))))
      return (payment) => shareReturned(payment, returnNo, { kind: 'refused', code: 'NOT_ENOUGH', message: '' }, this.now);
    paid.putBack.set(refundNo, commission + server);
    const answer: Shared = { kind: known ? 'done' : 'processing' };
    return (payment) => shareReturned(payment, returnNo, answer, this.now);
  }
  /** What of an order's money is in the provider's hands at the channel. */
  #atProvider(paid: ChannelOrder): number {
    const gone = [...this.refunds.values()].filter((one) => one.attempt === paid.nth && one.status !== 'closed');
    const back = [...paid.putBack.values()].reduce((sum, one) => sum + one, 0);
    return (
      paid.amount - gone.reduce((sum, one) => sum + one.amount, 0) - (paid.sharesFail ? 0 : (paid.shared ?? 0)) + back - paid.withdrawn
    );
  }
  #queryRefund({ refundNo }: Refund): (payment: Payment) => Change {
    const known = this.refunds.get(refundNo);
    const answer: RefundQueryOutcome = known
      ? { kind: 'found', refund: { refundNo, refundId: `R${refundNo}`, status: known.status, amount: known.amount } }
      : { kind: 'missing' };
    return (payment) => refundQueried(payment, refundNo, answer, this.now);
  }
  #unanswered(call: Call): (payment: Payment) => Change {
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
    const revoked = new Set([...this.orders.values()].filter(({ state }) => state === 'revoked').map(({ nth }) => nth));
    return paid - refunded([...this.refunds.values()].filter(({ attempt: nth }) => !revoked.has(nth)));
  }
}

const refunded = (refunds: readonly ChannelRefund[]): number =>
  refunds.reduce((sum, one) => sum + (one.status === 'succeeded' ? one.amount : 0), 0);
