import type { Channel } from '@yunshi/contracts/payment';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partOf } from '@yunshi/kernel/money';
import { commissionOf } from '../ledger/ledger.ts';
import { refundedOfAttempt } from '../settlement/shares.ts';
import { outcomes } from '../revocation/settlement.ts';
import { isPaid, isVoid, keptAttempt, revokedAttempt, type Payment } from './state.ts';
import { bill } from './stories.ts';
import { World, type Fate } from './world.ts';

const channels = ['wechat_native', 'corporate_bank', 'unionpay_b2b'] as const;
const which = fc.nat(7);
const fate = fc.constantFrom<Fate>('answered', 'answered', 'lost-after', 'lost-before');
type Move = (world: World) => void;
const moves: fc.Arbitrary<Move> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...channels).map<Move>((channel) => (world) => world.buyerOpens(channel)) },
  { weight: 1, arbitrary: which.map<Move>((nth) => (world) => world.buyerVisits(nth)) },
  { weight: 2, arbitrary: which.map<Move>((nth) => (world) => world.makerSubmits(nth)) },
  {
    weight: 2,
    arbitrary: fc.tuple(which, fc.constantFrom('paid' as const, 'closed' as const)).map<Move>(
      ([nth, as]) =>
        (world) =>
          world.checkerDecides(nth, as),
    ),
  },
  { weight: 1, arbitrary: which.map<Move>((nth) => (world) => world.bankRevokes(nth)) },
  { weight: 1, arbitrary: fc.constant<Move>((world) => world.sharesWillFail()) },
  { weight: 1, arbitrary: fc.constantFrom(...outcomes).map<Move>((outcome) => (world) => world.operatorsSettle(outcome)) },
  { weight: 3, arbitrary: which.map<Move>((nth) => (world) => world.buyerPays(nth)) },
  { weight: 1, arbitrary: which.map<Move>((nth) => (world) => world.buyerPays(nth, bill.amount - 1)) },
  { weight: 1, arbitrary: fc.constant<Move>((world) => world.sagaTurnsBack()) },
  { weight: 2, arbitrary: fc.constant<Move>((world) => world.providerPauses()) },
  { weight: 1, arbitrary: fc.constant<Move>((world) => world.sagaResumes()) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 9_900, 19_900).map<Move>((amount) => (world) => world.sagaRebills(amount)) },
  {
    weight: 5,
    arbitrary: fc.tuple(which, fate).map<Move>(
      ([nth, how]) =>
        (world) =>
          world.carryOut(nth, how),
    ),
  },
  { weight: 5, arbitrary: which.map<Move>((nth) => (world) => world.answerArrives(nth)) },
  { weight: 2, arbitrary: which.map<Move>((nth) => (world) => world.noticeArrives(nth)) },
  { weight: 2, arbitrary: fc.constantFrom(1, 5, 60, 3_600).map<Move>((seconds) => (world) => world.wait(seconds)) },
  { weight: 1, arbitrary: fc.constant<Move>((world) => world.wait(25 * 3_600)) },
  { weight: 2, arbitrary: fc.constant<Move>((world) => world.orderCompletes()) },
  { weight: 1, arbitrary: fc.constant<Move>((world) => world.wait(5 * 24 * 3_600)) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: bill.amount }).map<Move>((amount) => (world) => world.operatorRefunds(amount)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }).map<Move>((amount) => (world) => world.operatorRefunds(amount)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: bill.amount }).map<Move>((amount) => (world) => world.providerWithdraws(amount)) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('succeeded' as const, 'abnormal' as const, 'closed' as const)
      .map<Move>((end) => (world) => world.refundsEnd(end)),
  },
);
/** Most stories begin in the middle, so that there is something to go wrong. */
const shown =
  (channel: Channel): Move =>
  (world) => {
    world.buyerOpens(channel);
    world.carryOut(0, 'answered');
    world.answerArrives(0);
  };
const [code, page, ownPage] = [shown('wechat_native'), shown('corporate_bank'), shown('unionpay_b2b')];
const refunding: Move = (world) => {
  world.buyerPays(0, bill.amount);
  world.noticeArrives(0);
  world.sagaTurnsBack();
  world.carryOut(0, 'answered');
};
const deadCard: Move = (world) => {
  world.refundsEnd('abnormal');
  world.noticeArrives(world.notices.length - 1);
};
const sold: Move = (world) => {
  world.buyerPays(0, bill.amount);
  world.noticeArrives(0);
  world.orderCompletes();
};
const sharing: Move = (world) => {
  world.wait(6 * 24 * 3_600);
  world.carryOut(world.calls.length - 1, 'answered');
  world.answerArrives(world.answers.length - 1);
};
const released: Move = (world) => {
  world.wait(60);
  world.carryOut(world.calls.length - 1, 'answered');
  world.answerArrives(world.answers.length - 1);
};
/** The provider has spent what the buyer then wants back. */
const spent: Move = (world) => {
  world.providerWithdraws(15_000);
  world.operatorRefunds(bill.amount);
  for (let call = 0; call < 3; call++) {
    world.carryOut(0, 'answered');
    world.answerArrives(0);
    world.wait(60);
  }
};
const visited: Move = (world) => world.buyerVisits(0);
/** The buyer would rather pay another way. */
const turnedAway: Move = (world) => {
  world.buyerOpens('wechat_native');
  world.carryOut(0, 'answered');
  world.answerArrives(0);
};
const handedIn: Move = (world) => {
  world.makerSubmits(0);
  world.wait(5);
  world.carryOut(0, 'answered');
  world.answerArrives(0);
};
const completed: Move = (world) => {
  world.orderCompletes();
  world.wait(6 * 24 * 3_600);
};
const approved: Move = (world) => {
  world.checkerDecides(0, 'paid');
  world.noticeArrives(0);
};
const partlyRefunded: Move = (world) => {
  world.operatorRefunds(5_001);
  world.carryOut(0, 'answered');
  world.answerArrives(0);
  world.refundsEnd('succeeded');
  world.noticeArrives(world.notices.length - 1);
};
const takenBack: Move = (world) => {
  world.bankRevokes(0);
  world.noticeArrives(world.notices.length - 1);
};
const pausing: Move = (world) => {
  world.providerPauses();
  for (let call = 0; call < 2; call++) {
    world.carryOut(0, 'answered');
    world.answerArrives(0);
  }
};
/** Nobody has told us yet. */
const paidQuietly: Move = (world) => world.buyerPays(0, bill.amount);
const cheaper: Move = (world) => world.sagaRebills(9_900);
const beginnings = fc.constantFrom<readonly Move[]>(
  [],
  [code],
  [code],
  [code, refunding],
  [code, refunding, deadCard],
  [code, sold],
  [code, sold, sharing],
  [code, sold, sharing, released],
  [code, sold, (world) => world.sharesWillFail(), sharing, released],
  [code, sold, sharing, released, spent],
  [code, pausing],
  [code, pausing, cheaper],
  [code, pausing, cheaper, code],
  [code, paidQuietly, pausing],
  [page, pausing],
  [page, handedIn, pausing],
  [page],
  [page, handedIn],
  [page, handedIn, approved],
  [page, handedIn, approved, completed],
  [page, handedIn, approved, completed, partlyRefunded],
  [page, handedIn, approved, takenBack],
  [page, handedIn, approved, completed, takenBack],
  [ownPage],
  [ownPage, turnedAway],
  [ownPage, visited],
  [ownPage, visited, turnedAway],
  [ownPage, pausing, cheaper],
  [ownPage, visited, pausing],
  [ownPage, visited, handedIn],
  [ownPage, visited, handedIn, approved, completed],
);
const stories = fc.tuple(beginnings, fc.array(moves, { maxLength: 60 })).map(([begun, rest]) => [...begun, ...rest]);

/** True at every moment. */
function holds(world: World, before: Payment): void {
  const { payment } = world;
  expect(payment.attempts.filter((one) => one.status === 'kept').length).toBeLessThanOrEqual(1);
  for (const old of before.attempts) {
    const now = payment.attempts.find((one) => one.attemptId === old.attemptId);
    if (isPaid(old)) expect(now?.status === 'revoked' ? { ...now, status: old.status } : now).toEqual(old);
    if (old.status === 'revoked') expect(now).toEqual(old);
  }
  for (const refund of before.refunds.filter((one) => one.status === 'succeeded')) expect(payment.refunds).toContainEqual(refund);
  for (const [nth, paid] of [...world.orders.values()].entries()) {
    const back = [...world.refunds.values()].filter((one) => one.attempt === paid.nth && one.status === 'succeeded');
    expect(
      back.reduce((sum, one) => sum + one.amount, 0),
      `order ${nth} paid back more than once`,
    ).toBeLessThanOrEqual(paid.amount);
  }
  for (const paid of payment.attempts.filter(isPaid)) {
    const asked = payment.refunds.filter((one) => one.attemptId === paid.attemptId && !isVoid(one));
    const asksBack = asked.reduce((sum, one) => sum + one.amount, 0);
    expect(asksBack).toBeLessThanOrEqual(paid.received ?? 0);
  }
  // What is kept is the price, whatever it was when the buyer began to pay.
  for (const kept of payment.attempts.filter((one) => one.status === 'kept')) expect(kept.received).toBe(payment.amount);
  // Nobody owes what he has not had: buyers, provider and marketplace are never in debt, whatever comes back in whatever parts.
  const creditors = ['buyer_funds', 'suspense', 'provider_payable', 'provider_balance', 'platform_fee', 'server_sales'];
  expect(creditors.filter((account) => world.balance(account) > 0)).toEqual([]);
  for (const entry of world.entries.values()) expect(entry.postings.reduce((sum, one) => sum + one.amount, 0)).toBe(0);
}

/** With a server in every third story. */
function play(story: readonly Move[]): World {
  const world = new World(story.length % 3 === 0 ? 14_900 : 0);
  for (const move of story) {
    const before = world.payment;
    move(world);
    holds(world, before);
  }
  return world;
}

const isReturn = (answer: string): boolean => answer === 'answer-closed' || answer === 'answer-refunded';

describe('whatever happens in whatever order', () => {
  test('at most one attempt is kept, nothing goes back twice, and no money state is ever taken back', () => {
    fc.assert(
      fc.property(stories, (story) => {
        expect(play(story).payment.orderId).toBe(bill.orderId);
      }),
      { numRuns: 2_000 },
    );
  });

  test('in the end the channel holds the price of a paid order, and nothing of any other', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const world = play(story);
        world.settle();
        const { payment } = world;
        const kept = keptAttempt(payment);
        const back = kept ? refundedOfAttempt(payment, kept.attemptId) : 0;
        expect(world.held()).toBe(payment.status === 'paid' ? payment.amount - back : 0);
        const again = payment.status === 'restored' ? revokedAttempt(payment)! : undefined;
        const repaid = again ? payment.amount - refundedOfAttempt(payment, again.attemptId) : 0;
        expect(world.balance('channel_clearing:own_bank')).toBe(repaid);
        expect(world.balance('channel_clearing')).toBe(world.held() + repaid - world.withdrawn());
        expect(world.balance('suspense')).toBe(0);
        expect(world.balance('buyer_funds') + (payment.soldAt ? 0 : world.held())).toBe(0);
        if (!payment.soldAt) return;
        // Of what was taken back before the order was completed nothing was ever earned.
        expect(['released', 'unshared', 'cancelled', null]).toContain(payment.settlement);
        expect(payment.settlement === null && !['revoked', 'ended'].includes(payment.status)).toBe(false);
        expect(again === undefined || payment.settlement === 'released').toBe(true);
        expect(world.balance('provider_payable')).toBe(0);
        // Of what is left the marketplace has the server's part and 10 % of the rest, to the fen, in whatever parts the rest went back.
        const left = world.held() + repaid;
        const server = partOf(payment.serverAmount, left, payment.amount);
        const off = [-world.balance('server_sales') - server, -world.balance('platform_fee') - commissionOf(left - server)];
        for (const one of off) expect(Math.abs(one)).toBeLessThanOrEqual(left === 0 ? 0 : payment.refunds.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test('whoever asked for the money back is answered, and only when the channel holds none of it', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const world = play(story);
        const answeredBefore = world.answered.filter((one) => isReturn(one)).length;
        if (answeredBefore === 0) world.sagaTurnsBack();
        world.settle();
        if (world.payment.status === 'restored') return;
        expect(world.answered.filter((one) => isReturn(one)).length).toBeGreaterThan(0);
        expect(['closed', 'refunded', 'revoked', 'ended']).toContain(world.payment.status);
        expect(world.held()).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

  test('an order is let go as unpaid only after no code of it can be paid any more', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const world = new World();
        for (const move of story) {
          const before = world.answered.length;
          move(world);
          if (!world.answered.slice(before).includes('answer-closed')) continue;
          const open = [...world.orders.values()].filter((one) => one.state === 'unpaid' || one.state === 'approving');
          expect(open).toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('the price is changed only while nobody can pay, and what was paid first stands at its price', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(stories, (story) => {
        const world = new World();
        for (const move of story) {
          const before = { paid: keptAttempt(world.payment), answers: world.answered.length };
          move(world);
          const told = world.answered.slice(before.answers).filter((one) => one === 'answer-paused' || one === 'answer-not-paused');
          for (const one of told) reached.add(`${one} ${world.payment.status}`);
          const isTaken = before.paid !== undefined && world.payment.status === 'paid';
          expect(isTaken ? keptAttempt(world.payment) : before.paid).toEqual(before.paid);
          if (!world.isPaused) continue;
          expect([...world.orders.values()].filter(({ state }) => state === 'unpaid' || state === 'approving')).toEqual([]);
        }
      }),
      { numRuns: 2_000, seed: 20_260_302 },
    );
    for (const end of ['answer-paused open', 'answer-not-paused paid', 'answer-not-paused open', 'answer-not-paused closing'])
      expect([...reached]).toContain(end);
  });

  test('the saga waits at least as long as anything may still be paid', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const world = play(story);
        const payable = [...world.orders.values()].filter(({ state }) => state === 'unpaid' || state === 'approving');
        expect(payable.filter(({ endsAt }) => endsAt > world.heldUntil)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a bank that holds the voucher is never left: no second way to pay is open beside it', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const world = new World();
        for (const move of story) {
          move(world);
          const payable = [...world.orders.values()].filter(
            ({ state, expiresAt }) => state === 'approving' || (state === 'unpaid' && world.now < expiresAt),
          );
          expect(payable.length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('the stories reach every end: kept, late, double, wrong amount, refunded, closed, abnormal', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(stories, (story) => {
        const world = play(story);
        for (const { status } of world.payment.attempts) reached.add(status);
        for (const refund of world.payment.refunds) reached.add(refund.status).add(`share ${refund.shareBack}`);
        world.settle();
        reached.add(world.payment.status).add(String(world.payment.settlement));
        for (const one of world.payment.attempts) reached.add(one.orphanReason ?? one.status);
        for (const kind of world.closes) reached.add(`close ${kind}`);
      }),
      { numRuns: 4_000, seed: 20_260_301 },
    );
    const closes = ['close closed', 'close paid', 'close held', 'close stays', 'close missing'];
    const settled = ['released', 'unshared', 'cancelled', 'share due', 'share asked', 'share done', 'blocked'];
    for (const end of [
      'kept',
      'late',
      'wrong-amount',
      'refunded',
      'closed',
      'paid',
      'abnormal',
      'revoked',
      'approving',
      'restored',
      'ended',
      ...settled,
      ...closes,
    ])
      expect([...reached]).toContain(end);
  });
});
