import { randomUUID } from 'node:crypto';
import type { Clock } from '@yunshi/kernel/clock';
import { verifyTc3 } from '@yunshi/protocols/tencent-cloud/tc3';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { actions, type Action, type Said } from './actions.ts';
import type { CloudBook } from './book.ts';

export type Credential = { readonly secretId: string; readonly secretKey: string };
type Deps = {
  readonly book: CloudBook;
  /** Business time, and that of the wall, which signatures are checked by. */
  readonly clock: Clock;
  readonly wall: Clock;
  readonly credential: Credential;
};

const BODY_BYTES_MAX = 64 * 1024;
/** Of the API for servers, and of that for networks. */
const VERSION = '2017-03-12';
/** What changes something can go wrong. */
const changing = new Set(['RunInstances', 'StartInstances', 'StopInstances', 'ResetInstance', 'TerminateInstances', 'RenewInstances']);

/** Tencent Cloud's API 3.0, of which everything is `POST /` with the action in a header. */
export const cloudApi = ({ book, clock, wall, credential }: Deps) =>
  async function api(app: FastifyInstance): Promise<void> {
    const known = actions({ book, clock });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => done(null, body));
    app.post('/', async (request, reply) => {
      const action = headerOf(request, 'x-tc-action');
      const region = headerOf(request, 'x-tc-region');
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const said =
        authentic(request, body, credential, wall) ?? (await act({ book, action, region, body, perform: known[action] }, request));
      const Response = { ...('body' in said ? said.body : { Error: { Code: said.code, Message: said.message } }), RequestId: randomUUID() };
      await book.record({ action, region, request: shown(body), answer: JSON.stringify(Response).slice(0, 2_000), at: clock.now() });
      if (changing.has(action) && 'body' in said && (await book.take('answer-lost'))) {
        reply.hijack();
        request.raw.socket.destroy();
        return reply;
      }
      return reply.send({ Response });
    });
  };

const headerOf = (request: FastifyRequest, name: string): string => String(request.headers[name] ?? '');
/** The log of the desk is for everybody who comes by. */
const shown = (body: Buffer): string =>
  body
    .toString('utf8')
    .replace(/"Password":"[^"]*"/g, '"Password":"…"')
    .slice(0, 4_000);

function authentic(request: FastifyRequest, body: Buffer, { secretId, secretKey }: Credential, wall: Clock): Said | undefined {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const [path = '/', query = ''] = request.url.split('?');
  const call = { method: request.method, path, query, headers, body };
  const verdict = verifyTc3(call, (id) => (id === secretId ? secretKey : undefined), wall.now().getTime());
  return verdict.ok ? undefined : { code: verdict.refusal, message: 'the signature is not accepted' };
}

type Acting = {
  readonly book: CloudBook;
  readonly action: string;
  readonly region: string;
  readonly body: Buffer;
  readonly perform: Action | undefined;
};

async function act({ book, action, region, body, perform }: Acting, request: FastifyRequest): Promise<Said> {
  if (!perform) return { code: 'InvalidAction', message: `the action ${action} is not played here` };
  if (headerOf(request, 'x-tc-version') !== VERSION) return { code: 'NoSuchVersion', message: `the version of ${action} is ${VERSION}` };
  if (changing.has(action)) {
    if (await book.take('call-fails')) return { code: 'InternalError', message: 'something went wrong inside' };
    if (await book.take('call-throttled')) return { code: 'RequestLimitExceeded', message: 'too many requests' };
  }
  const parameters = parsed(body);
  return parameters === undefined ? { code: 'InvalidParameter', message: 'the body is not JSON' } : perform(parameters, region);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
