import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { literally } from '@yunshi/db/like';
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
export const findClaimable = async (sql: Sql, search: Search): Promise<Coupon[]> => (await claimableRows(sql, search)).map(fromRow);

/** As they stand in the table, which is what a test of the plan looks at. */
export async function claimableRows(sql: Sql, { covering, providerId, now, after, take }: Search): Promise<CouponRow[]> {
  // A shop coupon covers everything but images: the rule of `covers` in SQL, held together by a test.
  const scope = covering
    ? sql`and provider_id = ${covering.providerId} and (
        (scope->>'type' = 'shop' and ${covering.deliveryType !== 'image'}) or scope->'productIds' ? ${covering.productId})`
    : sql``;
  const page = after ? sql`and (claim_until, coupon_id) > (${after.claimUntil}, ${after.couponId})` : sql``;
  return sql<CouponRow[]>`
    select ${sql.unsafe(selected)} from coupons
    where listed and status = 'issuing' and claimed < stock and claim_from <= ${now} and claim_until > ${now} ${scope} ${page}
      ${providerId ? sql`and provider_id = ${providerId}` : sql``}
    order by claim_until, coupon_id limit ${take}`;
}

/** One coupon by its id, which is what the link of an unlisted one carries. */
export async function findCoupon(sql: Sql, couponId: CouponId): Promise<Coupon | undefined> {
  const [found] = await sql<CouponRow[]>`select ${sql.unsafe(selected)} from coupons where coupon_id = ${couponId}`;
  return found && fromRow(found);
}

export type OfferSearch = {
  readonly providerId?: ProviderId | undefined;
  readonly status?: 'not-open' | 'closed' | 'paused' | 'sold-out' | 'claimable' | undefined;
  readonly type?: Coupon['benefit']['type'] | undefined;
  /** A part of the name, or the beginning of the number. */
  readonly keyword?: string | undefined;
  readonly now: Date;
  readonly after?: { readonly publishedAt: Date; readonly couponId: CouponId } | undefined;
  readonly take: number;
};

/** One page of the offers of a provider, or of all of them, newest first. */
export const findOffers = async (sql: Sql, search: OfferSearch): Promise<Coupon[]> => (await offerRows(sql, search)).map(fromRow);

export async function offerRows(sql: Sql, { providerId, status, type, keyword, now, after, take }: OfferSearch): Promise<CouponRow[]> {
  return sql<CouponRow[]>`
    select ${sql.unsafe(selected)} from coupons
    where true ${providerId ? sql`and provider_id = ${providerId}` : sql``} ${inStatus(sql, status, now)}
      ${type ? sql`and benefit->>'type' = ${type}` : sql``}
      ${keyword === undefined ? sql`` : sql`and (name ilike ${`%${literally(keyword)}%`} or number like ${`${literally(keyword)}%`})`}
      ${after ? sql`and (published_at, coupon_id) < (${after.publishedAt}, ${after.couponId})` : sql``}
    order by published_at desc, coupon_id desc limit ${take}`;
}

/** The rule of `claimable` in SQL, held together by a test. */
function inStatus(sql: Sql, status: OfferSearch['status'], now: Date) {
  const open = sql`and claim_from <= ${now} and claim_until > ${now}`;
  switch (status) {
    case undefined:
      return sql``;
    case 'not-open':
      return sql`and claim_from > ${now}`;
    case 'closed':
      return sql`and claim_from <= ${now} and claim_until <= ${now}`;
    case 'paused':
      return sql`${open} and status = 'paused'`;
    case 'sold-out':
      return sql`${open} and status = 'issuing' and claimed >= stock`;
    case 'claimable':
      return sql`${open} and status = 'issuing' and claimed < stock`;
  }
}
