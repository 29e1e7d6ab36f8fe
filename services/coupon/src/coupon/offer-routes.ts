import { z } from 'zod';
import { answer } from '@yunshi/http/answer';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { CouponId, newId, ProviderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { countUses } from '../claim/claims.ts';
import { brokenRules, Problem } from '../problems.ts';
import { findOwn, findShop, type Shop } from '../product/products.ts';
import { draftRead, NewCoupon, NewCouponOfShop, OfferStatus, offerShown, WireOffer, WireOfferInUse } from '../wire.ts';
import type { Coupon } from './coupon.ts';
import { findCoupon, findOffers } from './coupons.ts';
import { issueCoupon, publishCoupon, type Operator } from './publishing.ts';

type Parts = Pick<Core, 'sql' | 'clock' | 'write'>;

const Params = z.strictObject({ coupon_id: CouponId });
const query = {
  ...listQuery,
  status: OfferStatus.optional(),
  type: z.enum(['discount', 'amount']).optional(),
  keyword: z.string().trim().min(1).max(50).optional().meta({ description: 'A part of the name, or the beginning of the number' }),
};
const ListQuery = z.strictObject(query);
const ListAllQuery = z.strictObject({ ...query, provider_id: ProviderId.optional() });
const byNewest = keyset(z.tuple([z.iso.datetime(), CouponId]));
const publishing = Problem.codes('coupon-not-valid', 'shop-without-products');
const issuing = Problem.codes('not-found', 'coupon-already-so');
const actions = [
  ['pause', 'Stop issuing 暂停发放: claimed ones stay usable'],
  ['resume', 'Issue again'],
] as const;

/** Publishes what was written for a shop. A scope may name the shop's own products only. */
async function publishFor({ sql, clock, write }: Parts, shop: Shop, written: z.output<typeof NewCoupon>, once: Once, operator?: Operator) {
  const draft = draftRead(written, shop);
  const named = draft.scope.type === 'products' ? draft.scope.productIds : [];
  const own = new Set(await findOwn(sql, shop.providerId, named));
  const foreign = named.flatMap((productId, nth) =>
    own.has(productId) ? [] : [{ field: `scope.productIds.${nth}`, message: 'is no product of the shop' }],
  );
  if (foreign.length > 0) return brokenRules(foreign);
  return write(publishCoupon, { couponId: newId('cpn', clock.now()), draft, ...(operator && { operator }) }, once);
}
type Once = ReturnType<typeof idempotencyOf>;

async function shopOf(sql: Parts['sql'], providerId: ProviderId): Promise<Shop> {
  const shop = await findShop(sql, providerId);
  if (!shop) throw new Problem('shop-without-products');
  return shop;
}

async function listed({ sql, clock }: Parts, { limit, cursor, provider_id: providerId, ...search }: z.output<typeof ListAllQuery>) {
  const last = byNewest.after(cursor);
  const after = last && { publishedAt: new Date(last[0]), couponId: last[1] };
  const now = clock.now();
  const rows = await findOffers(sql, { ...search, providerId, now, after, take: limit + 1 });
  return byNewest.page(
    rows,
    limit,
    (coupon: Coupon) => [coupon.publishedAt.toISOString(), coupon.couponId],
    (coupon) => offerShown(coupon, now),
  );
}

/** What a provider does with the coupons of its shop 店铺优惠券. There is no route to change one: it is immutable once published. */
export const providerOfferRoutes =
  (parts: Parts): Routes =>
  async (app) => {
    const { sql, clock, write } = parts;
    const tags = ['provider'];
    const access = ['provider'] as const;

    app.get(
      '/v1/provider/coupons',
      {
        config: { access, problems: Problem.codes('cursor-not-valid') },
        schema: { tags, summary: 'Coupons of my shop, newest first', querystring: ListQuery, response: { 200: pageOf(WireOffer) } },
      },
      (request) => listed(parts, { ...request.query, provider_id: providerOf(request) }),
    );

    app.post(
      '/v1/provider/coupons',
      {
        config: { access, idempotency: 'required', problems: publishing },
        schema: {
          tags,
          summary: 'Publish a coupon of my shop',
          description: 'Nothing of it can be changed afterwards; issuing can be paused and resumed.',
          body: NewCoupon,
          response: { 201: WireOffer },
        },
      },
      async (request, reply) => {
        const shop = await shopOf(sql, providerOf(request));
        return answer(reply, await publishFor(parts, shop, request.body, idempotencyOf(request)));
      },
    );

    app.get(
      '/v1/provider/coupons/:coupon_id',
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: {
          tags,
          summary: 'A coupon of my shop, and what became of the claimed ones',
          params: Params,
          response: { 200: WireOfferInUse },
        },
      },
      async (request) => {
        const { coupon_id: couponId } = request.params;
        const found = await findCoupon(sql, couponId);
        if (found?.providerId !== providerOf(request)) throw new Problem('not-found');
        const now = clock.now();
        return { ...offerShown(found, now), in_use: await countUses(sql, couponId, now) };
      },
    );

    for (const [action, summary] of actions) {
      app.post(
        `/v1/provider/coupons/:coupon_id/${action}`,
        { config: { access, problems: issuing }, schema: { tags, summary, params: Params, response: { 200: WireOffer } } },
        async (request, reply) => {
          const ask = { couponId: request.params.coupon_id, action, providerId: providerOf(request) };
          return answer(reply, await write(issueCoupon, ask));
        },
      );
    }
  };

/** What operators do: the coupons of 自营 shops, and a look at everybody's. */
export const operatorOfferRoutes =
  (parts: Parts): Routes =>
  async (app) => {
    const { sql, write } = parts;
    const tags = ['operations'];
    const access = ['operator'] as const;
    const reason = z.string().trim().min(1).max(500).optional();

    app.get(
      '/v1/ops/coupons',
      {
        config: { access, problems: Problem.codes('cursor-not-valid') },
        schema: { tags, summary: 'Coupons of all shops, newest first', querystring: ListAllQuery, response: { 200: pageOf(WireOffer) } },
      },
      (request) => listed(parts, request.query),
    );

    app.post(
      '/v1/ops/coupons',
      {
        config: { access, idempotency: 'required', problems: [...publishing, ...Problem.codes('shop-not-self-operated')] },
        schema: { tags, summary: 'Publish a coupon of a 自营 shop', body: NewCouponOfShop, response: { 201: WireOffer } },
      },
      async (request, reply) => {
        const { provider_id: providerId, ...written } = request.body;
        const shop = await shopOf(sql, providerId);
        if (!shop.selfOperated) throw new Problem('shop-not-self-operated');
        const operator = { actor: callerOf(request).userId, reason: undefined };
        return answer(reply, await publishFor(parts, shop, written, idempotencyOf(request), operator));
      },
    );

    for (const [action, summary] of actions) {
      app.post(
        `/v1/ops/coupons/:coupon_id/${action}`,
        {
          config: { access, problems: issuing },
          schema: { tags, summary, params: Params, body: z.strictObject({ reason }), response: { 200: WireOffer } },
        },
        async (request, reply) => {
          const operator = { actor: callerOf(request).userId, reason: request.body.reason };
          return answer(reply, await write(issueCoupon, { couponId: request.params.coupon_id, action, operator }));
        },
      );
    }
  };
