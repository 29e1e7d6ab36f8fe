import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { AccountId, ClaimId, ProviderId } from '@yunshi/kernel/ids';
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
  readonly sort: ClaimSort;
  readonly after?: { readonly at: Date; readonly claimId: ClaimId } | undefined;
  readonly now: Date;
  readonly take: number;
};

/** One page of a buyer's coupons. */
export async function findClaims(sql: Sql, search: ClaimSearch): Promise<Claim[]> {
  const { accountId, status, type, scene, providerId, sort, after, now, take } = search;
  const inStatus =
    status === undefined
      ? sql``
      : status === 'expired'
        ? sql`and status = 'usable' and valid_until <= ${now}`
        : status === 'usable'
          ? sql`and status = 'usable' and valid_until > ${now}`
          : sql`and status = ${status}`;
  const soonestFirst = sort === 'valid_until';
  const page = !after
    ? sql``
    : soonestFirst
      ? sql`and (valid_until, claim_id) > (${after.at}, ${after.claimId})`
      : sql`and (claimed_at, claim_id) < (${after.at}, ${after.claimId})`;
  return sql<Claim[]>`
    select ${sql.unsafe(selected)} from claims
    where account_id = ${accountId} ${inStatus} ${page}
      ${type ? sql`and benefit->>'type' = ${type}` : sql``} ${scene ? sql`and scenes ? ${scene}` : sql``}
      ${providerId ? sql`and provider_id = ${providerId}` : sql``}
    order by ${soonestFirst ? sql`valid_until, claim_id` : sql`claimed_at desc, claim_id desc`} limit ${take}`;
}

export async function findClaim(sql: Sql, accountId: AccountId, claimId: ClaimId): Promise<Claim | undefined> {
  const [found] = await sql<Claim[]>`select ${sql.unsafe(selected)} from claims where account_id = ${accountId} and claim_id = ${claimId}`;
  return found;
}
