import type { Routes } from '@yunshi/http/server';
import type { ProviderId } from '@yunshi/kernel/ids';
import { secretIdOf, verifyTc3 } from '@yunshi/protocols/tencent-cloud/tc3';
import type { Vault } from '@yunshi/service/vault';
import type { FastifyRequest } from 'fastify';
import { boundTo } from '../bound-to.ts';
import type { CloudKeyBook } from './cloud-keys.ts';

/**
 * What providers call of their own accord, in the shape of the cloud's API `market`, version 2019-10-10: everything is `POST /` with the
 * action in a header, signed by TC3-HMAC-SHA256, and answered with 200 and `{ Response }`, refusals included.
 */

/** One call whose signature is good. */
export type MarketCall = {
  readonly providerId: ProviderId;
  readonly parameters: unknown;
  /** Of this call and no other. */
  readonly signature: string;
  /** Of the wall, which signatures are judged by. */
  readonly atMs: number;
};
/** What is answered, or why not, in the words of the API's own codes. */
export type Said = { readonly body: Readonly<Record<string, string>> } | { readonly code: string; readonly message: string };
export type MarketAction = (call: MarketCall) => Promise<Said>;

export type MarketApiParts = {
  readonly keys: Pick<CloudKeyBook, 'active'>;
  readonly vault: Pick<Vault, 'open'>;
  readonly wallNow: () => Date;
  readonly newRequestId: () => string;
  /** By their names on the wire. */
  readonly actions: Readonly<Record<string, MarketAction>>;
};

const bodyBytesMax = 16 * 1024;
const version = '2019-10-10';

export const marketApi = (parts: MarketApiParts): Routes =>
  async function api(app) {
    // The signature is over the bytes as they came.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyBytesMax }, (_request, body, done) => done(null, body));
    const config = { access: 'public', undocumented: "the cloud's API `market`, for providers, who sign what they send" } as const;
    app.post('/', { config }, async (request) => {
      const said = await judged(request, parts);
      const RequestId = parts.newRequestId();
      if ('body' in said) return { Response: { ...said.body, RequestId } };
      request.log.warn(
        { code: said.code, action: headerOf(request, 'x-tc-action'), request_id: RequestId },
        'a call of the cloud API was refused',
      );
      return { Response: { Error: { Code: said.code, Message: said.message }, RequestId } };
    });
  };

const headerOf = (request: FastifyRequest, name: string): string => String(request.headers[name] ?? '');

async function judged(request: FastifyRequest, { keys, vault, wallNow, actions }: MarketApiParts): Promise<Said> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const secretId = secretIdOf(headerOf(request, 'authorization'));
  const key = secretId === undefined ? undefined : await keys.active(secretId);
  const secret = key && vault.open(key.secretKey, boundTo.cloudKey(key.secretId));
  const atMs = wallNow().getTime();
  const verdict = verifyTc3(callOf(request, body), () => secret, atMs);
  if (!verdict.ok) return { code: verdict.refusal, message: messages[verdict.refusal] };
  if (key === undefined) return { code: 'AuthFailure.SecretIdNotFound', message: messages['AuthFailure.SecretIdNotFound'] };
  const action = headerOf(request, 'x-tc-action');
  const perform = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (perform === undefined) return { code: 'InvalidAction', message: `the action «${action}» does not exist here` };
  if (headerOf(request, 'x-tc-version') !== version) return { code: 'NoSuchVersion', message: `the version of ${action} is ${version}` };
  const parameters = parsed(body);
  if (parameters === undefined) return { code: 'InvalidParameter', message: 'the body is not JSON' };
  return perform({ providerId: key.providerId, parameters, signature: verdict.signature, atMs });
}

/** As its sender signed it: the host that it called is what our gateway was called by. */
function callOf(request: FastifyRequest, body: Buffer) {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const host = headers['x-forwarded-host'] ?? headers['host'];
  const [path = '/', query = ''] = request.url.split('?');
  return { method: request.method, path, query, headers: { ...headers, host }, body };
}

const messages = {
  'AuthFailure.InvalidAuthorization': 'the Authorization header is not that of TC3-HMAC-SHA256',
  'AuthFailure.SecretIdNotFound': 'there is no such key, or it is disabled',
  'AuthFailure.SignatureExpire': 'X-TC-Timestamp is more than five minutes off, or not of the date that was signed',
  'AuthFailure.SignatureFailure': 'the signature is not that of the key',
} as const;

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
