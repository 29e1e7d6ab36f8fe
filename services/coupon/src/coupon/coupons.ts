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
  pipelined: true,
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

export type Search = {
  readonly covering?: { readonly productId: ProductId; readonly providerId: ProviderId; readonly deliveryType: DeliveryType } | undefined;
  readonly providerId?: ProviderId | undefined;
  readonly now: Date;
  readonly after?: { readonly claimUntil: Date; readonly couponId: CouponId } | undefined;
  readonly take: number;
};

const selected = selectListOf(tables.coupons);

/** Listed coupons that can be claimed now, the one whose claim window closes first in front. Those without stock left stay out. */
export async function findClaimable(sql: Sql, { covering, providerId, now, after, take }: Search): Promise<Coupon[]> {
  // A shop coupon covers everything but images: the rule of `covers` in SQL, held together by a test.
  const scope = covering
    ? sql`and provider_id = ${covering.providerId} and (
        (scope->>'type' = 'shop' and ${covering.deliveryType !== 'image'}) or scope->'productIds' ? ${covering.productId})`
    : sql``;
  const page = after ? sql`and (claim_until, coupon_id) > (${after.claimUntil}, ${after.couponId})` : sql``;
  const found = await sql<CouponRow[]>`
    select ${sql.unsafe(selected)} from coupons
    where listed and status = 'issuing' and claimed < stock and claim_from <= ${now} and claim_until > ${now} ${scope} ${page}
      ${providerId ? sql`and provider_id = ${providerId}` : sql``}
    order by claim_until, coupon_id limit ${take}`;
  return found.map(fromRow);
}

/** One coupon by its id, which is what the link of an unlisted one carries. */
export async function findCoupon(sql: Sql, couponId: CouponId): Promise<Coupon | undefined> {
  const [found] = await sql<CouponRow[]>`select ${sql.unsafe(selected)} from coupons where coupon_id = ${couponId}`;
  return found && fromRow(found);
}
