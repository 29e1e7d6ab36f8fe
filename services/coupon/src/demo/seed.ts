import { demoCoupons, demoPersonas } from '@yunshi/contracts/demo-world';
import { addDays, chinaDay, startOfChinaDay } from '@yunshi/kernel/calendar';
import type { Result } from '@yunshi/kernel/result';
import { httpWrite, write, type Decision } from '@yunshi/messaging/handle';
import { claim, type Claim } from '../claim/claim.ts';
import { claims } from '../claim/claims.ts';
import { issue, publish, type Coupon } from '../coupon/coupon.ts';
import { coupons, tallies, tallyId } from '../coupon/coupons.ts';
import { demoClaimed, demoOffers, type Offer } from './offers.ts';

/** Fills an empty service with offers and claims, in one transaction. One that has the first offer has them all. */
export const seedDemoWorld = httpWrite('seed demo world', {
  of: coupons,
  key: () => demoCoupons.fanyingMinus20.couponId,
  decide: (_: undefined, first: Coupon | undefined, { now }): Decision<Coupon> => (first ? {} : demoWorld(now)),
});

function demoWorld(now: Date): Decision<Coupon> {
  const today = startOfChinaDay(now);
  const offers = demoOffers(today);
  const stock = new Map(offers.map((offer, index) => [offer.couponId, published(offer, index + 1, today)]));
  const held = new Map<string, number>();
  const made: Claim[] = [];
  for (const { claimId, couponId, by, daysAgo } of demoClaimed) {
    const { accountId, userId } = demoPersonas[by];
    const tally = tallyId({ couponId, accountId });
    const coupon = stock.get(couponId);
    if (!coupon) throw new Error(`${claimId} is of a coupon that the demo world does not have`);
    const taken = sure(claimId, claim(coupon, held.get(tally) ?? 0, { claimId, accountId, userId, now: addDays(today, -daysAgo) }));
    stock.set(couponId, taken.coupon);
    held.set(tally, (held.get(tally) ?? 0) + 1);
    made.push(taken.claim);
  }
  const paused = offers.filter((offer) => offer.paused).map((offer) => offer.couponId);
  return {
    writes: [
      ...[...stock.values()].map((coupon) => write(coupons, paused.includes(coupon.couponId) ? pause(coupon) : coupon)),
      ...made.map((one) => write(claims, one)),
      ...[...held].map(([id, claimed]) => write(tallies, { tallyId: id, claimed })),
    ],
  };
}

function published({ couponId, draft, gone = 0, publishedDaysAgo }: Offer, nth: number, today: Date): Coupon {
  const at = addDays(today, -publishedDaysAgo);
  const coupon = sure(draft.name, publish(draft, { couponId, number: `YHQ${chinaDay(at)}${String(nth).padStart(4, '0')}`, at }));
  return { ...coupon, claimed: gone };
}

const pause = (coupon: Coupon): Coupon => sure(coupon.name, issue(coupon, 'pause'));

/** The demo world obeys the rules that providers and buyers obey; a slip in it must not start up. */
function sure<T>(name: string, result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(`the demo world's ${name} is refused: ${JSON.stringify(result.error)}`);
  return result.value;
}
