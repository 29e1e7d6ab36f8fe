import type { CouponRefusal } from '@yunshi/contracts/coupon';
import { flow, move, type ActionOf, type StateOf } from '@yunshi/kernel/flow';
import type { AccountId, ClaimId, CouponId, OrderId, UserId } from '@yunshi/kernel/ids';
import type { Line, OrderKind } from '@yunshi/kernel/marketplace';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { claimable, validWhenClaimed, type Coupon, type NotClaimable, type Terms } from '../coupon/coupon.ts';
import { deductionFor, type NotApplicable } from '../coupon/deduction.ts';

/** 可使用, held by an unpaid order, 已使用. 已过期 is no status but a matter of time: see `shownStatus`. */
export const claimFlow = flow('claimed-coupon', {
  usable: { reserve: 'reserved' },
  reserved: { release: 'usable', use: 'used' },
  used: {},
});
export type ClaimStatus = StateOf<typeof claimFlow>;

/** One coupon of one buyer, with its own copy of what the offer said when it was claimed. */
export type Claim = Terms & {
  readonly claimId: ClaimId;
  readonly number: string;
  readonly couponId: CouponId;
  readonly accountId: AccountId;
  readonly claimedBy: UserId;
  readonly claimedAt: Date;
  readonly validFrom: Date;
  /** Exclusive. */
  readonly validUntil: Date;
  readonly status: ClaimStatus;
  /** Set while reserved and once used. */
  readonly orderId: OrderId | null;
  readonly deduction: Fen | null;
  readonly reservedAt: Date | null;
  readonly usedAt: Date | null;
  /** The orders that gave it back or never got it, newest last: a late `reserve` of theirs must not take it again. */
  readonly releasedBy: readonly OrderId[];
};

/** The message core already drops a `do` after its `undo`, so this memory is a second line and may be short. */
const releasesRememberedMax = 16;

export type ClaimRefusal = NotClaimable | 'limit-reached';

/** Takes one coupon from the stock for a buyer who holds or has used `held` of them already. */
export function claim(
  coupon: Coupon,
  held: number,
  by: { claimId: ClaimId; accountId: AccountId; userId: UserId; now: Date },
): Result<{ readonly coupon: Coupon; readonly claim: Claim }, ClaimRefusal> {
  const open = claimable(coupon, by.now);
  if (!open.ok) return open;
  if (held >= coupon.perBuyer) return no('limit-reached');
  const { name, providerId, providerName, benefit, scope, scenes } = coupon;
  const terms: Terms = { name, providerId, providerName, benefit, scope, scenes };
  const valid = validWhenClaimed(coupon.validity, by.now);
  const nth = coupon.claimed + 1;
  return ok({
    coupon: { ...coupon, claimed: nth },
    claim: {
      ...terms,
      claimId: by.claimId,
      number: `${coupon.number}-${String(nth).padStart(6, '0')}`,
      couponId: coupon.couponId,
      accountId: by.accountId,
      claimedBy: by.userId,
      claimedAt: by.now,
      validFrom: valid.from,
      validUntil: valid.until,
      status: 'usable',
      ...unreserved,
      usedAt: null,
      releasedBy: [],
    },
  });
}

const unreserved = { orderId: null, deduction: null, reservedAt: null } as const;

export type Order = { readonly orderId: OrderId; readonly accountId: AccountId };
export type Reservation = Order & { readonly kind: OrderKind; readonly lines: readonly Line[]; readonly now: Date };

/** Whether the coupon can be used for these lines now, and what it takes off; says nothing about who else may hold it. */
export function applicable(
  held: Claim,
  { kind, lines, now }: Pick<Reservation, 'kind' | 'lines' | 'now'>,
): Result<Fen, 'not-yet-valid' | 'expired' | NotApplicable> {
  if (now < held.validFrom) return no('not-yet-valid');
  if (now >= held.validUntil) return no('expired');
  return deductionFor(held, kind, lines);
}

/** Holds the coupon for an order. Asked again by the order that holds it, answers the same. */
export function reserve(
  held: Claim | undefined,
  ask: Reservation,
): Result<{ readonly claim: Claim; readonly deduction: Fen }, CouponRefusal> {
  if (held?.accountId !== ask.accountId) return no('not-found');
  // The undo overtook us: the order is being taken back and must not hold anything.
  if (held.releasedBy.includes(ask.orderId)) return no('in-use');
  switch (held.status) {
    case 'used':
      return no('used');
    case 'reserved':
      return held.orderId === ask.orderId ? ok({ claim: held, deduction: held.deduction ?? 0 }) : no('in-use');
    case 'usable': {
      const deduction = applicable(held, ask);
      if (!deduction.ok) return deduction;
      const reserved = { orderId: ask.orderId, deduction: deduction.value, reservedAt: ask.now };
      return ok({ claim: { ...moved(held, 'reserve'), ...reserved }, deduction: deduction.value });
    }
  }
}

/**
 * Gives the coupon back to the buyer, who may find it expired by now. Arriving before its `reserve`, twice, or without one it only
 * leaves a mark. A coupon that the order has used stays used: a refund does not give it back.
 */
export function release(held: Claim, { orderId, accountId }: Order): Claim {
  if (held.accountId !== accountId || held.releasedBy.includes(orderId)) return held;
  if (held.status === 'used' && held.orderId === orderId) return held;
  const releasedBy = [...held.releasedBy, orderId].slice(-releasesRememberedMax);
  if (held.status !== 'reserved' || held.orderId !== orderId) return { ...held, releasedBy };
  return { ...moved(held, 'release'), ...unreserved, releasedBy };
}

/**
 * The provider has changed the price of the order 改价, and with it what the coupon takes off. Of nothing it is given back. A coupon that
 * the order does not hold, because it has ended meanwhile, is left alone.
 */
export function reckon(held: Claim, { deduction, ...order }: Order & { readonly deduction: Fen }): Claim {
  if (held.accountId !== order.accountId || held.orderId !== order.orderId) return held;
  if (deduction > 0) return { ...held, deduction };
  return held.status === 'reserved' ? release(held, order) : held;
}

/** Marks the coupon 已使用. Only the order that holds it may: anything else means that a purchase went forward without its coupon. */
export function use(held: Claim | undefined, { orderId, accountId, now }: Order & { now: Date }): Result<Claim, 'not-held'> {
  if (held?.accountId !== accountId || held.orderId !== orderId) return no('not-held');
  // Not judged by time: the coupon was valid when the order took it.
  return ok(held.status === 'used' ? held : { ...moved(held, 'use'), usedAt: now });
}

function moved(held: Claim, action: ActionOf<typeof claimFlow>): Claim {
  const next = move(claimFlow, held.status, action);
  if (!next.ok) throw new Error(`claimed coupon ${held.claimId} cannot ${action} while ${held.status}`);
  return { ...held, status: next.value };
}

/** What the buyer sees: an unused coupon past its time is 已过期. */
export const shownStatus = (held: Pick<Claim, 'status' | 'validUntil'>, now: Date): ClaimStatus | 'expired' =>
  held.status === 'usable' && now >= held.validUntil ? 'expired' : held.status;

/** Largest deduction first; of equal ones the one that expires first; then by id, so that the order is always the same. */
export function bestFirst<C extends { readonly deduction: Fen; readonly validUntil: Date; readonly claimId: ClaimId }>(
  coupons: readonly C[],
): C[] {
  return coupons.toSorted(
    (a, b) => b.deduction - a.deduction || a.validUntil.getTime() - b.validUntil.getTime() || (a.claimId < b.claimId ? -1 : 1),
  );
}

export type Usable = { readonly claimId: ClaimId; readonly validUntil: Date; readonly deduction: Fen; readonly claim: Claim };
export type Unusable = { readonly claim: Claim; readonly reason: CouponRefusal };

/** Every coupon of a buyer against one order's lines: the usable ones best first, the others with the reason. */
export function forOrder(
  claims: readonly Claim[],
  ask: Pick<Reservation, 'kind' | 'lines' | 'now'>,
): { readonly usable: readonly Usable[]; readonly unusable: readonly Unusable[] } {
  const usable: Usable[] = [];
  const unusable: Unusable[] = [];
  for (const held of claims) {
    const deduction = held.status === 'usable' ? applicable(held, ask) : no(held.status === 'used' ? 'used' : 'in-use');
    if (deduction.ok) usable.push({ claimId: held.claimId, validUntil: held.validUntil, deduction: deduction.value, claim: held });
    else unusable.push({ claim: held, reason: deduction.error });
  }
  return { usable: bestFirst(usable), unusable };
}
