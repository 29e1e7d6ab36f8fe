import { z } from 'zod';
import { addDays, chinaDay } from '@yunshi/kernel/calendar';
import { flow, move, type IllegalMove, type StateOf } from '@yunshi/kernel/flow';
import { CouponId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';

/** What the coupon takes off: 折扣 (`payPercent` 10 is 1折: the buyer pays 10 %) or 满减 (`off` fen from `threshold` fen on). */
export const Benefit = z.discriminatedUnion('type', [
  z.object({ type: z.literal('discount'), payPercent: z.int().min(1).max(99) }),
  z
    .object({ type: z.literal('amount'), threshold: Fen.min(1), off: Fen.min(1) })
    .refine(({ threshold, off }) => off < threshold, { path: ['off'], message: 'must be smaller than the threshold' }),
]);
export type Benefit = z.infer<typeof Benefit>;

/** 指定商品: the named products; 店铺通用: everything of the provider except images. */
export const Scope = z.discriminatedUnion('type', [
  z.object({ type: z.literal('products'), productIds: z.array(ProductId).min(1).max(100) }),
  z.object({ type: z.literal('shop') }),
]);
export type Scope = z.infer<typeof Scope>;

/** When a claimed coupon can be used: between two moments, or for some days from the claim on. `until` is exclusive. */
export const Validity = z.discriminatedUnion('type', [
  z.object({ type: z.literal('absolute'), from: z.date(), until: z.date() }),
  z.object({ type: z.literal('after_claim'), days: z.int().min(1).max(730) }),
]);
export type Validity = z.infer<typeof Validity>;

/** What a coupon says. A claimed coupon keeps its own copy, so that using it needs no look at the offer. */
export const Terms = z.object({
  name: z.string().trim().min(1).max(50),
  providerId: ProviderId,
  providerName: z.string().min(1),
  benefit: Benefit,
  scope: Scope,
  /** 新购, 续费, 试用转正式: the kinds of order that it is good for. */
  scenes: z.array(OrderKind).min(1),
});
export type Terms = z.infer<typeof Terms>;

/** What a provider fills in. Nothing of it can change once the coupon is published. */
export const CouponDraft = Terms.extend({
  stock: z.int().min(1).max(10_000_000),
  /** 每人限领 */
  perBuyer: z.int().min(1),
  claimFrom: z.date(),
  claimUntil: z.date(),
  validity: Validity,
  /** Unlisted coupons are found by their link only. */
  listed: z.boolean(),
}).superRefine((draft, { addIssue }) => {
  const refuse = (field: string, message: string) => addIssue({ code: 'custom', path: [field], message });
  if (draft.perBuyer > draft.stock) refuse('perBuyer', 'must not exceed the stock');
  if (draft.claimFrom >= draft.claimUntil) refuse('claimUntil', 'must be later than the start of the claim window');
  if (new Set(draft.scenes).size < draft.scenes.length) refuse('scenes', 'must not repeat');
  if (draft.validity.type === 'after_claim') return;
  if (draft.validity.from >= draft.validity.until) refuse('validity', 'must end later than it begins');
  // Otherwise a buyer could claim what has already expired.
  if (draft.claimUntil > draft.validity.until) refuse('claimUntil', 'must not be later than the end of the validity');
});
export type CouponDraft = z.infer<typeof CouponDraft>;

/** 发放中 and 暂停发放: pausing stops claims only, what is claimed stays usable. */
export const couponFlow = flow('coupon', {
  issuing: { pause: 'paused' },
  paused: { resume: 'issuing' },
});
export type CouponStatus = StateOf<typeof couponFlow>;

export type Coupon = CouponDraft & {
  readonly couponId: CouponId;
  /** The number that people see; numbers of claimed coupons begin with it. */
  readonly number: string;
  readonly status: CouponStatus;
  /** How many were claimed so far, never more than the stock. */
  readonly claimed: number;
  readonly publishedAt: Date;
};

export type DraftRefusal = {
  readonly code: 'draft-invalid';
  readonly issues: readonly { readonly field: string; readonly message: string }[];
};

export function publish(draft: CouponDraft, as: { couponId: CouponId; number: string; at: Date }): Result<Coupon, DraftRefusal> {
  const checked = CouponDraft.safeParse(draft);
  if (!checked.success) {
    return no({ code: 'draft-invalid', issues: checked.error.issues.map(({ path, message }) => ({ field: path.join('.'), message })) });
  }
  if (draft.claimUntil <= as.at) return no({ code: 'draft-invalid', issues: [{ field: 'claimUntil', message: 'must be in the future' }] });
  return ok({ ...checked.data, couponId: as.couponId, number: as.number, status: 'issuing', claimed: 0, publishedAt: as.at });
}

/**
 * The number that people see: the day in China, and eight digits of the id's random part. It follows from the id, so that nothing has to
 * be counted; two offers of one day share it once in 10^8 times, and then the second is refused by its unique index.
 */
export const couponNumber = (couponId: CouponId, at: Date): string =>
  `YHQ${chinaDay(at)}${String(Number.parseInt(couponId.slice(-8), 16) % 100_000_000).padStart(8, '0')}`;

/** 暂停发放, or issuing again. Claimed coupons are not touched. */
export function issue(coupon: Coupon, action: 'pause' | 'resume'): Result<Coupon, IllegalMove> {
  const status = move(couponFlow, coupon.status, action);
  return status.ok ? ok({ ...coupon, status: status.value }) : status;
}

/** Why nobody can claim the coupon just now. */
export type NotClaimable = 'not-open' | 'closed' | 'paused' | 'sold-out';

export function claimable(coupon: Coupon, now: Date): Result<undefined, NotClaimable> {
  if (now < coupon.claimFrom) return no('not-open');
  if (now >= coupon.claimUntil) return no('closed');
  if (coupon.status === 'paused') return no('paused');
  if (coupon.claimed >= coupon.stock) return no('sold-out');
  return ok(undefined);
}

/** The window in which a coupon claimed now can be used. */
export function validWhenClaimed(validity: Validity, claimedAt: Date): { readonly from: Date; readonly until: Date } {
  if (validity.type === 'absolute') return { from: validity.from, until: validity.until };
  return { from: claimedAt, until: addDays(claimedAt, validity.days) };
}
