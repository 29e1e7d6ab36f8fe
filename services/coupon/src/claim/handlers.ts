import { couponsForOrder, deductionOf, reckonCoupon, releaseCoupon, reserveCoupon, useCoupon } from '@yunshi/contracts/coupon';
import type { Sql } from '@yunshi/db/connect';
import type { Clock } from '@yunshi/kernel/clock';
import { no } from '@yunshi/kernel/result';
import { answers, handle, type Answerer, type Handler } from '@yunshi/messaging/handle';
import { deductionFor } from '../coupon/deduction.ts';
import { forOrder, reckon, release, reserve, use } from './claim.ts';
import { claims, findClaim, findForCheckout } from './claims.ts';

/** What the purchase asks of a claimed coupon. */
export const claimHandlers: readonly Handler[] = [
  handle(reserveCoupon, {
    of: claims,
    key: (ask) => ask.claimId,
    decide: (ask, held, { now, reply }) => {
      const reservation = reserve(held, { ...ask, now });
      if (!reservation.ok) return { reply: reply.refused({ reason: reservation.error }) };
      const { claim, deduction } = reservation.value;
      return { save: claim, reply: reply.reserved({ deduction }) };
    },
  }),
  handle(releaseCoupon, {
    of: claims,
    key: (ask) => ask.claimId,
    decide: (ask, held, { reply }) => ({ ...(held && { save: release(held, ask) }), reply: reply.released({}) }),
  }),
  handle(reckonCoupon, {
    of: claims,
    key: (ask) => ask.claimId,
    decide: (ask, held, { reply }) => ({ ...(held && { save: reckon(held, ask) }), reply: reply.reckoned({}) }),
  }),
  handle(useCoupon, {
    of: claims,
    key: (ask) => ask.claimId,
    decide: (ask, held, { now, reply }) => {
      const used = use(held, { ...ask, now });
      // Past the pivot there is no refusing any more: somebody has to look at this.
      if (!used.ok) throw new Error(`order ${ask.orderId} does not hold the coupon ${ask.claimId} that it wants to use`);
      return { save: used.value, reply: reply.used({}) };
    },
  }),
];

export const claimAnswerers = (sql: Sql, clock: Clock): readonly Answerer[] => [
  answers(deductionOf, async ({ claimId, accountId, kind, lines }) => {
    const held = await findClaim(sql, accountId, claimId);
    const deduction = held ? deductionFor(held, kind, lines) : no('not-found' as const);
    return deduction.ok ? { deduction: deduction.value, refusal: null } : { deduction: 0, refusal: deduction.error };
  }),
  answers(couponsForOrder, async ({ accountId, kind, lines }) => {
    const now = clock.now();
    const held = await findForCheckout(sql, { accountId, providerIds: lines.map((line) => line.providerId), now });
    const { usable, unusable } = forOrder(held, { kind, lines, now });
    return {
      usable: usable.map(({ claim, deduction }) => ({
        claimId: claim.claimId,
        couponId: claim.couponId,
        name: claim.name,
        deduction,
        expiresAt: claim.validUntil.toISOString(),
      })),
      unusable: unusable.map(({ claim, reason }) => ({ claimId: claim.claimId, couponId: claim.couponId, name: claim.name, reason })),
    };
  }),
];
