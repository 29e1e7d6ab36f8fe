import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { literally } from '@yunshi/db/like';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { AccountId, ClaimId, CouponId, ProviderId } from '@yunshi/kernel/ids';
import type { OrderKind } from '@yunshi/kernel/marketplace';
import * as tables from '../tables.ts';
import type { Claim, ClaimStatus } from './claim.ts';

export const claims: Rows<ClaimId, Claim> = rowsOf(tables.claims, 'claimId');

const selected = selectListOf(tables.claims);

/** How many coupons of one buyer a checkout looks at; far more than anybody holds. */
const checkoutCouponsMax = 500;

/**
 * The coupons that a checkout shows: all that are neither used nor expired, because those two can never again become usable.
 * Coupons of the sellers in the order come first, in case there are more than the limit.
 */
export async function findForCheckout(
  sql: Sql,
  { accountId, providerIds, now }: { readonly accountId: AccountId; readonly providerIds: readonly ProviderId[]; readonly now: Date },
): Promise<Claim[]> {
  return sql<Claim[]>`
    select ${sql.unsafe(selected)} from claims
    where account_id = ${accountId} and status <> 'used' and (status = 'reserved' or valid_until > ${now})
    order by provider_id = any(${providerIds as ProviderId[]}::text[]) desc, valid_until, claim_id limit ${checkoutCouponsMax}`;
}

export type ClaimSort = '-claimed_at' | 'valid_until';

export type ClaimSearch = {
  readonly accountId: AccountId;
  readonly status?: ClaimStatus | 'expired' | undefined;
  readonly type?: Claim['benefit']['type'] | undefined;
  readonly scene?: OrderKind | undefined;
  readonly providerId?: ProviderId | undefined;
  readonly couponId?: CouponId | undefined;
  /** A part of the name, or the beginning of the number. */
  readonly keyword?: string | undefined;
  readonly sort: ClaimSort;
  readonly after?: { readonly at: Date; readonly claimId: ClaimId } | undefined;
  readonly now: Date;
  readonly take: number;
};

/** One page of a buyer's coupons. */
export async function findClaims(sql: Sql, search: ClaimSearch): Promise<Claim[]> {
  const { accountId, type, scene, providerId, couponId, keyword, sort, after, take } = search;
  const soonestFirst = sort === 'valid_until';
  const page = !after
    ? sql``
    : soonestFirst
      ? sql`and (valid_until, claim_id) > (${after.at}, ${after.claimId})`
      : sql`and (claimed_at, claim_id) < (${after.at}, ${after.claimId})`;
  return sql<Claim[]>`
    select ${sql.unsafe(selected)} from claims
    where account_id = ${accountId} ${inStatus(sql, search)} ${page}
      ${type ? sql`and benefit->>'type' = ${type}` : sql``} ${scene ? sql`and scenes ? ${scene}` : sql``}
      ${providerId ? sql`and provider_id = ${providerId}` : sql``} ${couponId ? sql`and coupon_id = ${couponId}` : sql``}
      ${keyword === undefined ? sql`` : sql`and (name ilike ${`%${literally(keyword)}%`} or number like ${`${literally(keyword)}%`})`}
    order by ${soonestFirst ? sql`valid_until, claim_id` : sql`claimed_at desc, claim_id desc`} limit ${take}`;
}

function inStatus(sql: Sql, { status, now }: Pick<ClaimSearch, 'status' | 'now'>) {
  switch (status) {
    case undefined:
      return sql``;
    case 'expired':
      return sql`and status = 'usable' and valid_until <= ${now}`;
    case 'usable':
      return sql`and status = 'usable' and valid_until > ${now}`;
    case 'reserved':
    case 'used':
      return sql`and status = ${status}`;
  }
}

/** What became of the claimed ones of an offer. */
export async function countUses(sql: Sql, couponId: CouponId, now: Date): Promise<Readonly<Record<ClaimStatus | 'expired', number>>> {
  const counted = await sql<{ status: ClaimStatus | 'expired'; n: number }[]>`
    select case when status = 'usable' and valid_until <= ${now} then 'expired' else status end as status, count(*)::int as n
    from claims where coupon_id = ${couponId} group by 1`;
  return { usable: 0, reserved: 0, used: 0, expired: 0, ...Object.fromEntries(counted.map(({ status, n }) => [status, n])) };
}

export async function findClaim(sql: Sql, accountId: AccountId, claimId: ClaimId): Promise<Claim | undefined> {
  const [found] = await sql<Claim[]>`select ${sql.unsafe(selected)} from claims where account_id = ${accountId} and claim_id = ${claimId}`;
  return found;
}
