import { answer } from '@yunshi/http/answer';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import type { Routes } from '@yunshi/http/server';
import { InstanceId, ProductId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import type { Egress } from '@yunshi/protocols/egress';
import type { Vault } from '@yunshi/service/vault';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { boundTo } from '../bound-to.ts';
import type { InstanceBook } from '../instance/instances.ts';
import { Problem } from '../problems.ts';
import type { Product } from '../product/product.ts';
import { isRetired, type ApiKey } from './access.ts';
import { changeKeys, secretRevealed, setUpstream, upstreamRows, type KeyAsk, type Upstream } from './handlers.ts';
import { drawKey } from './keys.ts';
import { keyPolicy, upstreamPolicy } from './policy.ts';

/** Key pairs of an API instance, for its buyer, and where calls of a product go, for its provider. */

export type ApiRouteParts = {
  readonly core: Pick<Core, 'write' | 'clock' | 'sql'>;
  readonly instances: Pick<InstanceBook, 'find'>;
  readonly vault: Vault;
  readonly door: Pick<Egress, 'send'>;
  readonly product: (productId: ProductId) => Promise<Product | undefined>;
  readonly randomHex: (bytes: number) => string;
};

const Time = z.iso.datetime({ offset: true });
const SecretId = z.string().max(64).meta({ example: 'YSID01930e6c7b1a7c3e9f0a1b2c3d4e5f60' });
const Of = z.object({ instance_id: InstanceId });
const OfKey = Of.extend({ secret_id: SecretId });

const ShownKey = z
  .object({
    secret_id: SecretId,
    status: z
      .enum(['active', 'retiring', 'disabled', 'retired'])
      .meta({ description: 'retiring: rotated, and good until `valid_until`; disabled and retired pairs sign nothing' }),
    created_at: Time,
    valid_until: Time.nullable().meta({ description: 'Of a pair that was rotated; null for the others' }),
  })
  .meta({ id: 'ApiKey' });
const Named = z.object({ secret_id: SecretId }).meta({ id: 'ApiKeyNamed' });
const Secret = z.object({ secret_id: SecretId, secret_key: z.string() }).meta({ id: 'ApiKeySecret' });

const keyShown = (key: ApiKey, now: Date): z.infer<typeof ShownKey> => ({
  secret_id: key.secretId,
  status: key.status === 'disabled' ? 'disabled' : key.validUntil === null ? 'active' : isRetired(key, now) ? 'retired' : 'retiring',
  created_at: key.createdAt,
  valid_until: key.validUntil,
});

const access = ['buyer'] as const;
const path = '/v1/instances/:instance_id/keys';
const changing = Problem.codes('not-found', 'api-keys-not-usable', 'api-key-not-found', 'api-keys-too-many', 'api-key-retired');

export const apiRoutes =
  (parts: ApiRouteParts): Routes =>
  async (app) => {
    await app.register(keyRoutes(parts));
    await app.register(upstreamRoutes(parts));
  };

const keyRoutes = ({ core, instances, vault, randomHex }: ApiRouteParts): Routes => {
  const ofCaller = (request: FastifyRequest) => ({ accountId: callerOf(request).accountId, actor: callerOf(request).userId });
  const change = (ask: KeyAsk, request: FastifyRequest) => core.write(changeKeys, ask, idempotencyOf(request));
  const drawn = () => drawKey({ vault, randomHex });
  async function keysOf(request: FastifyRequest, instanceId: InstanceId): Promise<readonly ApiKey[]> {
    const instance = await instances.find(callerOf(request).accountId, instanceId);
    if (instance === undefined) throw new Problem('not-found');
    return instance.api?.keys ?? [];
  }
  return async (app) => {
    app.get(
      path,
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: {
          summary: 'The key pairs of an API instance 密钥',
          params: Of,
          response: { 200: z.object({ items: z.array(ShownKey), next_cursor: z.null() }) },
        },
      },
      async (request) => {
        const keys = await keysOf(request, request.params.instance_id);
        return { items: keys.map((key) => keyShown(key, core.clock.now())), next_cursor: null };
      },
    );
    app.get(
      `${path}/:secret_id/secret`,
      {
        config: { access, problems: Problem.codes('not-found', 'api-key-not-found') },
        schema: { summary: 'Show the secret key; that it was shown stands in the audit', params: OfKey, response: { 200: Secret } },
      },
      async (request, reply) => {
        const { instance_id: instanceId, secret_id: secretId } = request.params;
        const key = (await keysOf(request, instanceId)).find((one) => one.secretId === secretId);
        if (key?.secretKey === undefined || key.secretKey === null) throw new Problem('api-key-not-found');
        await core.write(secretRevealed, { ...ofCaller(request), instanceId, secretId });
        reply.header('cache-control', 'no-store');
        return { secret_id: secretId, secret_key: vault.open(key.secretKey, boundTo.secretKey(secretId)) };
      },
    );
    app.post(
      path,
      {
        config: { access, idempotency: 'required', problems: changing },
        schema: {
          summary: 'Issue another key pair',
          description: `Up to ${keyPolicy.keysMax} count at the same time.`,
          params: Of,
          response: { 201: Named },
        },
      },
      async (request, reply) => {
        const ask = { ...ofCaller(request), instanceId: request.params.instance_id, action: 'issue' as const, drawn: drawn() };
        return answer(reply, await change(ask, request));
      },
    );
    app.post(
      `${path}/:secret_id/rotate`,
      {
        config: { access, idempotency: 'required', problems: changing },
        schema: {
          summary: 'Issue a pair in the place of this one 轮换',
          description: `The old one counts for ${keyPolicy.overlapMs / 3_600_000} hours more; disable it to end that at once.`,
          params: OfKey,
          response: { 201: Named },
        },
      },
      async (request, reply) => {
        const { instance_id: instanceId, secret_id: secretId } = request.params;
        return answer(reply, await change({ ...ofCaller(request), instanceId, secretId, action: 'rotate', drawn: drawn() }, request));
      },
    );
    for (const action of ['disable', 'enable'] as const)
      app.post(
        `${path}/:secret_id/${action}`,
        {
          config: { access, idempotency: 'required', problems: changing },
          schema: {
            summary:
              action === 'disable' ? 'Disable a key pair 禁用: within a second nothing signed with it counts' : 'Enable it again 启用',
            params: OfKey,
            response: { 200: Named },
          },
        },
        async (request, reply) => {
          const { instance_id: instanceId, secret_id: secretId } = request.params;
          return answer(reply, await change({ ...ofCaller(request), instanceId, secretId, action }, request));
        },
      );
  };
};

const NewUpstream = z
  .strictObject({
    url: z.url().max(2_048).meta({ description: 'https on port 443, without query; what a call has after the service is put behind it' }),
    token: z
      .string()
      .min(16)
      .max(256)
      .regex(/^[\x21-\x7e]+$/)
      .meta({ description: 'Sent with each call as `x-market-token`, so that your service knows that the marketplace calls' }),
  })
  .meta({ id: 'NewUpstream' });
const ShownUpstream = z
  .object({ product_id: ProductId, url: z.string().nullable(), checked_at: Time.nullable(), version: z.int() })
  .meta({ id: 'Upstream', description: 'null: nothing has been set; in development the sandbox answers then' });

const upstreamShown = (productId: ProductId, row: Upstream | undefined): z.infer<typeof ShownUpstream> => ({
  product_id: productId,
  url: row?.url ?? null,
  checked_at: row?.checkedAt.toISOString() ?? null,
  version: row?.version ?? 0,
});

const upstreamRoutes = ({ core, vault, door, product }: ApiRouteParts): Routes => {
  const upstreamPath = '/v1/provider/products/:product_id/upstream';
  async function own(request: FastifyRequest, productId: ProductId): Promise<Product> {
    const known = await product(productId);
    if (known?.providerId !== providerOf(request)) throw new Problem('not-found');
    if (known.deliveryType !== 'api') throw new Problem('product-not-forwarded');
    return known;
  }
  const find = async (productId: ProductId) => upstreamShown(productId, (await upstreamRows.find(core.sql, [productId]))[0]);
  const config = { access: ['provider'] as const };
  return async (app) => {
    app.get(
      upstreamPath,
      {
        config: { ...config, problems: Problem.codes('not-found', 'product-not-forwarded') },
        schema: {
          summary: 'Where calls of your API product go 后端地址',
          params: z.object({ product_id: ProductId }),
          response: { 200: ShownUpstream },
        },
      },
      async (request) => find((await own(request, request.params.product_id)).productId),
    );
    app.put(
      upstreamPath,
      {
        config: { ...config, problems: Problem.codes('not-found', 'product-not-forwarded', 'endpoint-url-not-valid', 'upstream-not-well') },
        schema: {
          summary: 'Set where calls of your API product go',
          description: `It is asked at once by \`GET\`, with the token, and is kept only if it answers within ${upstreamPolicy.checkMsMax / 1_000} seconds with anything below 500. From then on calls go there, and the product may be published.`,
          params: z.object({ product_id: ProductId }),
          body: NewUpstream,
          response: { 200: ShownUpstream },
        },
      },
      async (request, reply) => {
        const { productId, providerId } = await own(request, request.params.product_id);
        const { token } = request.body;
        const url = request.body.url.replace(/\/+$/, '');
        await checked(door, url, token);
        const written = await core.write(setUpstream, {
          productId,
          providerId,
          url,
          token: vault.seal(token, boundTo.upstreamToken(productId)),
        });
        return written.status === 200 ? find(productId) : answer(reply, written);
      },
    );
  };
};

async function checked(door: Pick<Egress, 'send'>, url: string, token: string): Promise<void> {
  if (/[?#]/.test(url)) throw new Problem('endpoint-url-not-valid', { detail: 'The URL has a query or a fragment.' });
  const { checkMsMax: timeoutMsMax, answerBytesMax: bytesMax } = upstreamPolicy;
  const answered = await door.send({ method: 'GET', url, headers: { 'x-market-token': token }, timeoutMsMax, bytesMax });
  if (answered.kind === 'forbidden') throw new Problem('endpoint-url-not-valid', { detail: answered.detail });
  if (answered.kind === 'failed') throw new Problem('upstream-not-well', { detail: answered.detail });
  if (answered.status >= 500) throw new Problem('upstream-not-well', { detail: `It answered ${answered.status}.` });
}
