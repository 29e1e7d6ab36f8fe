import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { AccountId, CouponId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';
import * as tables from '../tables.ts';
import type { Coupon } from './coupon.ts';

type CouponRow = typeof tables.coupons.$inferSelect;
export type Tally = typeof tables.tallies.$inferSelect;

const rows = rowsOf(tables.coupons, 'couponId');

export const coupons: Rows<CouponId, Coupon> = {
  name: rows.name,
  keyOf: (coupon) => coupon.couponId,
  lock: async (tx, keys) => (await rows.lock(tx, keys)).map(fromRow),
  save: (tx, changed) => rows.save(tx, changed.map(toRow)),
};

export const tallies: Rows<string, Tally> = rowsOf(tables.tallies, 'tallyId');
export const tallyId = (of: { readonly couponId: CouponId; readonly accountId: AccountId }): string => `${of.couponId} ${of.accountId}`;

function fromRow({ validFrom, validUntil, validDays, ...row }: CouponRow): Coupon {
  if (validFrom && validUntil) return { ...row, validity: { type: 'absolute', from: validFrom, until: validUntil } };
  if (validDays) return { ...row, validity: { type: 'after_claim', days: validDays } };
  throw new Error(`coupon ${row.couponId} has no validity, against the constraint of its table`);
}

function toRow({ validity, ...coupon }: Coupon): CouponRow {
  return validity.type === 'absolute'
    ? { ...coupon, validFrom: validity.from, validUntil: validity.until, validDays: null }
    : { ...coupon, validFrom: null, validUntil: null, validDays: validity.days };
}

/** A coupon as a buyer finds it: with how many of it the buyer has claimed already. */
export type Found = { readonly coupon: Coupon; readonly mine: number };

export type Search = {
  /** Whose claims are counted; nobody's for a visitor who is not signed in. */
  readonly accountId: AccountId | undefined;
  readonly covering?: { readonly productId: ProductId; readonly providerId: ProviderId; readonly deliveryType: DeliveryType };
  readonly now: Date;
  readonly after?: { readonly claimUntil: Date; readonly couponId: CouponId };
  readonly limit: number;
};

const selected = selectListOf(tables.coupons, 'c');

/** Listed coupons that can be claimed now, the one whose claim window closes first in front. Those without stock left stay out. */
export async function findClaimable(sql: Sql, { accountId, covering, now, after, limit }: Search): Promise<Found[]> {
  // A shop coupon covers everything but images: the rule of `covers` in SQL, held together by a test.
  const scope = covering
    ? sql`and c.provider_id = ${covering.providerId} and (
        (c.scope->>'type' = 'shop' and ${covering.deliveryType !== 'image'}) or c.scope->'productIds' ? ${covering.productId})`
    : sql``;
  const page = after ? sql`and (c.claim_until, c.coupon_id) > (${after.claimUntil}, ${after.couponId})` : sql``;
  const found = await sql<(CouponRow & { mine: number })[]>`
    select ${sql.unsafe(selected)}, coalesce(t.claimed, 0) as mine
    from coupons c left join tallies t on t.tally_id = c.coupon_id || ' ' || ${accountId ?? ''}
    where c.listed and c.status = 'issuing' and c.claimed < c.stock and c.claim_from <= ${now} and c.claim_until > ${now} ${scope} ${page}
    order by c.claim_until, c.coupon_id limit ${limit}`;
  return found.map(({ mine, ...row }) => ({ coupon: fromRow(row), mine }));
}

/** One coupon by its id, which is what the link of an unlisted one carries. */
export async function findCoupon(sql: Sql, couponId: CouponId, accountId: AccountId | undefined): Promise<Found | undefined> {
  const [found] = await sql<(CouponRow & { mine: number })[]>`
    select ${sql.unsafe(selected)}, coalesce(t.claimed, 0) as mine
    from coupons c left join tallies t on t.tally_id = c.coupon_id || ' ' || ${accountId ?? ''} where c.coupon_id = ${couponId}`;
  if (!found) return undefined;
  const { mine, ...row } = found;
  return { coupon: fromRow(row), mine };
}
