import { answer } from '@yunshi/http/answer';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { CheckId, newId, ProductId } from '@yunshi/kernel/ids';
import type { ProviderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Dialect } from '../delivery/dialect.ts';
import { Problem } from '../problems.ts';
import { isMeteredProduct } from '../product/product.ts';
import type { Product } from '../product/product.ts';
import { unset } from './endpoint.ts';
import type { EndpointBook, EndpointScope } from './endpoints.ts';
import { beginCheck, publishEndpoint, setDebugAddress } from './handlers.ts';
import { checkShown, endpointListed, endpointShown, ListedEndpoint, NewEndpoint, ShownCheck, ShownEndpoint } from './wire.ts';

/** SaaS 接入设置: where a provider wants to be called for a product, how that is checked 在线接口调试, and when it is published 发布接口. */

export type EndpointRouteParts = {
  readonly core: Pick<Core, 'write' | 'clock'>;
  readonly endpoints: EndpointBook;
  readonly dialects: readonly Dialect[];
  readonly product: (productId: ProductId) => Promise<Product | undefined>;
};

const Params = z.object({ product_id: ProductId });
const CheckParams = Params.extend({ check_id: CheckId });
const ListQuery = z.strictObject({ ...listQuery, failing: z.stringbool({ truthy: ['true'], falsy: ['false'] }).optional() });
const byProduct = keyset(z.tuple([ProductId]));
const byNewest = keyset(z.tuple([z.iso.datetime({ offset: true }), CheckId]));

const access = ['provider'] as const;
const path = '/v1/provider/products/:product_id/endpoint';
const called = Problem.codes('not-found', 'product-not-called');

const scopeOf = (request: FastifyRequest): EndpointScope =>
  callerOf(request).roles.includes('operator') ? 'all' : { providerId: providerOf(request) };

export const endpointRoutes =
  (parts: EndpointRouteParts): Routes =>
  async (app) => {
    await app.register(addressRoutes(parts));
    await app.register(checkRoutes(parts));
    await app.register(healthRoutes(parts));
  };

/** The product, if it is the caller's and somebody is called for it. */
const ownProduct =
  ({ product }: EndpointRouteParts) =>
  async (request: FastifyRequest, productId: ProductId): Promise<Product> => {
    const known = await product(productId);
    if (known?.providerId !== providerOf(request)) throw new Problem('not-found');
    if (known.deliveryType !== 'saas') throw new Problem('product-not-called');
    return known;
  };

const shownBy =
  ({ endpoints }: EndpointRouteParts) =>
  async ({ productId, providerId }: { productId: ProductId; providerId: ProviderId }): Promise<z.infer<typeof ShownEndpoint>> => {
    const [row, debug, delivery, number] = await Promise.all([
      endpoints.find(productId, providerId),
      endpoints.debugOf(productId, providerId),
      endpoints.of(productId, providerId),
      endpoints.numberOf(productId),
    ]);
    return endpointShown(productId, row ?? unset(productId, providerId), { number, debug, delivery });
  };

const addressRoutes = (parts: EndpointRouteParts): Routes => {
  const { core, endpoints, dialects } = parts;
  const own = ownProduct(parts);
  const shown = shownBy(parts);
  return async (app) => {
    app.get(
      path,
      {
        config: { access, problems: called },
        schema: { summary: 'Read the endpoint of your product', params: Params, response: { 200: ShownEndpoint } },
      },
      async (request) => shown(await own(request, request.params.product_id)),
    );
    app.put(
      path,
      {
        config: { access, problems: [...called, ...Problem.codes('endpoint-url-not-valid', 'endpoint-not-verified', 'check-running')] },
        schema: {
          summary: 'Set the debug address of your product',
          description:
            'The address is asked at once to prove that it knows the token (`verifyInterface`), and is kept only if it does. Deliveries go on to the published address until this one has passed its check and is published.',
          params: Params,
          body: NewEndpoint,
          response: { 200: ShownEndpoint },
        },
      },
      async (request, reply) => {
        const { productId, providerId } = await own(request, request.params.product_id);
        await verified(request.body, productId);
        const { dialect, url, token } = request.body;
        const address = { dialect, url, token: endpoints.seal(productId, token) };
        const written = await core.write(setDebugAddress, { productId, providerId, address });
        if (written.status !== 200) return answer(reply, written);
        request.log.info({ product_id: productId, user_id: callerOf(request).userId }, 'a debug address was set');
        return shown({ productId, providerId });
      },
    );
    app.post(
      `${path}/publish`,
      {
        config: { access, problems: [...called, ...Problem.codes('endpoint-not-checked')] },
        schema: {
          summary: 'Publish the interface 发布接口: the debug address, which has passed its check, becomes the one for deliveries',
          params: Params,
          response: { 200: ShownEndpoint },
        },
      },
      async (request, reply) => {
        const product = await own(request, request.params.product_id);
        const { productId, providerId } = product;
        const written = await core.write(publishEndpoint, { productId, providerId, isMetered: isMeteredProduct(product) });
        if (written.status !== 200) return answer(reply, written);
        request.log.info({ product_id: productId, user_id: callerOf(request).userId }, 'an endpoint was published');
        return shown({ productId, providerId });
      },
    );
  };

  async function verified({ dialect: name, url, token }: z.infer<typeof NewEndpoint>, productId: ProductId): Promise<void> {
    const dialect = dialects.find((one) => one.name === name);
    if (dialect === undefined) throw new Problem('endpoint-not-verified', { detail: `Nobody here speaks the dialect «${name}».` });
    const refusal = dialect.checkUrl(url);
    if (refusal !== undefined) throw new Problem('endpoint-url-not-valid', { detail: `The URL is refused: ${refusal}.` });
    const { ok, exchange } = await dialect.verify({ url, token, productNumber: await endpoints.numberOf(productId) });
    if (!ok)
      throw new Problem('endpoint-not-verified', { detail: exchange.note ?? `It answered ${exchange.httpStatus} with other words.` });
  }
};

const checkRoutes = (parts: EndpointRouteParts): Routes => {
  const { core, endpoints } = parts;
  const own = ownProduct(parts);
  return async (app) => {
    app.post(
      `${path}/check`,
      {
        config: { access, problems: [...called, ...Problem.codes('endpoint-not-set', 'check-running', 'product-without-skus')] },
        schema: {
          summary: 'Check the debug address online 在线接口调试',
          description:
            'Plays a buyer there: verify, create, the same creation again, convert where the product can be tried, ask for usage and set its reminder where it is metered, renew, expire, destroy. It takes seconds; read the check until its `state` is no longer `running`.',
          params: Params,
          response: { 202: z.object({ check_id: CheckId }).meta({ id: 'CheckBegun' }) },
        },
      },
      async (request, reply) => {
        const product = await own(request, request.params.product_id);
        if (product.skus.length === 0) throw new Problem('product-without-skus');
        const { accountId, userId: startedBy } = callerOf(request);
        const now = core.clock.now();
        const orders = { creation: newId('ord', now), conversion: newId('ord', now), renewal: newId('ord', now) };
        const ask = { product, checkId: newId('chk', now), accountId, startedBy, orders, isPlayed: endpoints.isPlayed };
        return answer(reply, await core.write(beginCheck, ask));
      },
    );
    app.get(
      `${path}/checks`,
      {
        config: { access, problems: called },
        schema: {
          summary: 'The online checks of your product, newest first',
          params: Params,
          querystring: z.strictObject(listQuery),
          response: { 200: pageOf(ShownCheck) },
        },
      },
      async (request) => {
        const { productId, providerId } = await own(request, request.params.product_id);
        const { limit, cursor } = request.query;
        const rows = await endpoints.checks({ productId, providerId, after: byNewest.after(cursor), take: limit + 1 });
        return byNewest.page(rows, limit, (row) => [row.startedAt.toISOString(), row.checkId], checkShown);
      },
    );
    app.get(
      `${path}/checks/:check_id`,
      {
        config: { access, problems: called },
        schema: { summary: 'One online check, with every call and answer', params: CheckParams, response: { 200: ShownCheck } },
      },
      async (request) => {
        const { productId, providerId } = await own(request, request.params.product_id);
        const row = await endpoints.check(productId, providerId, request.params.check_id);
        if (row === undefined) throw new Problem('not-found');
        return checkShown(row);
      },
    );
  };
};

const healthRoutes =
  ({ endpoints }: EndpointRouteParts): Routes =>
  async (app) => {
    app.get(
      '/v1/provider/endpoints',
      {
        config: { access: ['provider', 'operator'], problems: Problem.codes('cursor-not-valid') },
        schema: {
          summary: 'The published endpoints, and what the probe has found: yours, or for an operator everybody’s',
          querystring: ListQuery,
          response: { 200: pageOf(ListedEndpoint) },
        },
      },
      async (request) => {
        const { limit, cursor, failing: isFailing } = request.query;
        const after = byProduct.after(cursor)?.[0];
        const rows = await endpoints.list({ scope: scopeOf(request), isFailing, after, take: limit + 1 });
        return byProduct.page(rows, limit, (row) => [row.productId], endpointListed);
      },
    );
  };
