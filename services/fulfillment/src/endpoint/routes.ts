import { callerOf, providerOf } from '@yunshi/http/caller';
import type { Routes } from '@yunshi/http/server';
import { ProductId } from '@yunshi/kernel/ids';
import type { ProviderId } from '@yunshi/kernel/ids';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Dialect } from '../delivery/dialect.ts';
import { Problem } from '../problems.ts';
import type { Product } from '../product/product.ts';
import type { EndpointBook } from './endpoints.ts';

/** SaaS 接入设置: where a provider wants to be called for a product. */

const ShownEndpoint = z
  .object({
    product_id: ProductId,
    product_number: z.int().meta({ description: 'The productId in the protocol' }),
    dialect: z.string(),
    url: z.string(),
    verified_at: z.iso.datetime({ offset: true }).nullable().meta({ description: 'null: played by the sandbox' }),
  })
  .meta({ id: 'Endpoint', description: 'The token is never shown' });
const NewEndpoint = z
  .strictObject({
    dialect: z.string().default('tencent-saas'),
    url: z.string().max(2_048),
    token: z.string().min(8).max(128).meta({ description: 'Had better begin with a letter: some providers do not sort before they sign' }),
  })
  .meta({ id: 'NewEndpoint' });
const Params = z.object({ product_id: ProductId });

export type EndpointRouteParts = {
  readonly endpoints: EndpointBook;
  readonly dialects: readonly Dialect[];
  readonly product: (productId: ProductId) => Promise<Product | undefined>;
  readonly now: () => Date;
};

export const endpointRoutes = ({ endpoints, dialects, product, now }: EndpointRouteParts): Routes => {
  const called = async (productId: ProductId, providerId: ProviderId): Promise<Product> => {
    const known = await product(productId);
    if (known?.providerId !== providerId) throw new Problem('not-found');
    if (known.deliveryType !== 'saas') throw new Problem('product-not-called');
    return known;
  };
  const shown = async (request: FastifyRequest, productId: ProductId): Promise<z.infer<typeof ShownEndpoint>> => {
    const providerId = providerOf(request);
    await called(productId, providerId);
    const endpoint = await endpoints.of(productId, providerId);
    if (endpoint === undefined) throw new Problem('not-found');
    const { productNumber, dialect, url, verifiedAt } = endpoint;
    return { product_id: productId, product_number: productNumber, dialect, url, verified_at: verifiedAt?.toISOString() ?? null };
  };
  return async (app) => {
    app.get(
      '/v1/provider/products/:product_id/endpoint',
      {
        config: { access: ['provider'], problems: Problem.codes('not-found', 'product-not-called') },
        schema: { summary: 'Read the endpoint of your product', params: Params, response: { 200: ShownEndpoint } },
      },
      (request) => shown(request, request.params.product_id),
    );
    app.put(
      '/v1/provider/products/:product_id/endpoint',
      {
        config: {
          access: ['provider'],
          problems: Problem.codes('not-found', 'product-not-called', 'endpoint-url-not-valid', 'endpoint-not-verified'),
        },
        schema: {
          summary: 'Set the endpoint of your product',
          description: 'The endpoint is called at once with verifyInterface, and is kept only if it passes.',
          params: Params,
          body: NewEndpoint,
          response: { 200: ShownEndpoint },
        },
      },
      async (request) => {
        const { product_id: productId } = request.params;
        const { providerId } = await called(productId, providerOf(request));
        await verified(request.body, productId);
        await endpoints.save(productId, { providerId, ...request.body, verifiedAt: now() });
        request.log.info({ product_id: productId, user_id: callerOf(request).userId }, 'an endpoint was set');
        return shown(request, productId);
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
