import { answer } from '@yunshi/http/answer';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { ProviderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import type { Vault } from '@yunshi/service/vault';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { boundTo } from '../bound-to.ts';
import { Problem } from '../problems.ts';
import { activeKeysMax } from './cloud-key.ts';
import type { CloudKey } from './cloud-key.ts';
import type { CloudKeyBook } from './cloud-keys.ts';
import { disableCloudKey, issueCloudKey, rotateCloudKey } from './handlers.ts';

/** 云 API 密钥: a provider's own keys for calls such as FlowProductRemind. */

export type KeyRouteParts = {
  readonly core: Pick<Core, 'write'>;
  readonly keys: Pick<CloudKeyBook, 'list'>;
  readonly vault: Pick<Vault, 'seal'>;
  /** `bytes` of randomness as lower-case hexadecimal digits. */
  readonly randomHex: (bytes: number) => string;
};

const Time = z.iso.datetime({ offset: true });
const SecretId = z.string().regex(/^YSPK[0-9a-f]{32}$/);
/** What no key is called is not found, as what is not yours. */
const Params = z.object({ secret_id: z.string().max(64) });

const ShownKey = z
  .object({
    secret_id: SecretId,
    status: z.enum(['active', 'disabled']),
    created_at: Time,
    disabled_at: Time.nullable(),
  })
  .meta({ id: 'CloudKey' });
const NewKey = z
  .object({
    secret_id: SecretId,
    secret_key: z.string().meta({ description: 'Shown this once' }),
    provider_uin: ProviderId.meta({ description: 'What `ProviderUin` of a call has to say' }),
  })
  .meta({ id: 'NewCloudKey' });

const access = ['provider'] as const;
const path = '/v1/provider/cloud-keys';
const byNewest = keyset(z.tuple([Time, SecretId]));

export const cloudKeyRoutes =
  ({ core, keys, vault, randomHex }: KeyRouteParts): Routes =>
  async (app) => {
    const actOf = (request: FastifyRequest) => ({ providerId: providerOf(request), actor: callerOf(request).userId });
    function made(request: FastifyRequest) {
      const secretId = `YSPK${randomHex(16)}`;
      const secretKey = randomHex(24);
      const sealed = { secretId, secretKey: vault.seal(secretKey, boundTo.cloudKey(secretId)), createdBy: callerOf(request).userId };
      const shown = { secret_id: secretId, secret_key: secretKey, provider_uin: providerOf(request) };
      return { sealed, tell: (reply: FastifyReply) => reply.code(201).send(shown) };
    }

    app.get(
      path,
      {
        config: { access, problems: Problem.codes('cursor-not-valid') },
        schema: {
          summary: 'Your keys of the cloud API, newest first',
          querystring: z.strictObject(listQuery),
          response: { 200: pageOf(ShownKey) },
        },
      },
      async (request) => {
        const { limit, cursor } = request.query;
        const rows = await keys.list({ providerId: providerOf(request), after: byNewest.after(cursor), take: limit + 1 });
        return byNewest.page(rows, limit, (row) => [row.createdAt.toISOString(), row.secretId], keyShown);
      },
    );
    app.post(
      path,
      {
        config: { access, problems: Problem.codes('cloud-keys-full') },
        schema: {
          summary: 'Issue a key of the cloud API',
          description: `For calls that are signed by TC3-HMAC-SHA256, as the cloud's SDKs do: \`POST /\` of this address. ${activeKeysMax} are active at most.`,
          response: { 201: NewKey },
        },
      },
      async (request, reply) => {
        const key = made(request);
        const written = await core.write(issueCloudKey, { ...actOf(request), made: key.sealed });
        return written.status === 200 ? key.tell(reply) : answer(reply, written);
      },
    );
    app.post(
      `${path}/:secret_id/rotate`,
      {
        config: { access, problems: Problem.codes('not-found', 'cloud-key-disabled', 'cloud-keys-full') },
        schema: {
          summary: 'Replace a key at once',
          description:
            'The old one is disabled with the same stroke. To change over without a gap, issue a second one and disable the first.',
          params: Params,
          response: { 201: NewKey },
        },
      },
      async (request, reply) => {
        const key = made(request);
        const { secret_id: secretId } = request.params;
        const written = await core.write(rotateCloudKey, { ...actOf(request), secretId, made: key.sealed });
        return written.status === 200 ? key.tell(reply) : answer(reply, written);
      },
    );
    app.post(
      `${path}/:secret_id/disable`,
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: { summary: 'Disable a key for good', params: Params, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const written = await core.write(disableCloudKey, { ...actOf(request), secretId: request.params.secret_id });
        return written.status === 200 ? reply.code(204).send(null) : answer(reply, written);
      },
    );
  };

const keyShown = ({ secretId, status, createdAt, disabledAt }: CloudKey): z.infer<typeof ShownKey> => ({
  secret_id: secretId,
  status,
  created_at: createdAt.toISOString(),
  disabled_at: disabledAt?.toISOString() ?? null,
});
