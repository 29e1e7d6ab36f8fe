import { couponsForProduct } from '@yunshi/contracts/coupon';
import type { Sql } from '@yunshi/db/connect';
import type { Clock } from '@yunshi/kernel/clock';
import { answers, type Answerer } from '@yunshi/messaging/handle';
import { findClaimable } from './coupons.ts';

/** What the page of a product shows of coupons. */
export const couponAnswerers = (sql: Sql, clock: Clock): readonly Answerer[] => [
  answers(couponsForProduct, async ({ take, ...covering }) => {
    const found = await findClaimable(sql, { covering, now: clock.now(), take });
    return {
      coupons: found.map(({ couponId, name, benefit, scenes, stock, claimed, perBuyer, claimUntil }) => ({
        couponId,
        name,
        benefit,
        scenes,
        perBuyer,
        left: stock - claimed,
        claimUntil: claimUntil.toISOString(),
      })),
    };
  }),
];
