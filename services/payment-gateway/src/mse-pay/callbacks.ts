/** Where 商企付 sends its notices. Verified, stored and acted on first, accepted then; anything else it sends again. */
import type { Clock } from '@yunshi/kernel/clock';
import type { Routes } from '@yunshi/http/server';
import { Notice } from '@yunshi/protocols/mse-pay/notice';
import { verifyNotice } from '@yunshi/protocols/mse-pay/signature';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChannelNotice } from '../payment/channel.ts';
import { takeNotice, type Taking } from '../payment/notices.ts';
import type { Keyring } from '../wechat/keyring.ts';
import { MSE_PAY_CALLBACK, noticeOf } from './channel.ts';

const BODY_BYTES_MAX = 64 * 1_024;

type Deps = Taking & { readonly keyring: Keyring; readonly wall: Clock };

export const msePayCallbackRoutes = (deps: Deps): Routes =>
  async function callbacks(app) {
    // The signature is over the bytes as they came.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => done(null, body));
    const config = { access: 'public', undocumented: 'called by 商企付, which signs what it sends' } as const;
    app.post(MSE_PAY_CALLBACK, { config }, async (request, reply) => take(request, reply, deps));
  };

async function take(request: FastifyRequest, reply: FastifyReply, deps: Deps): Promise<FastifyReply> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const header = request.headers['tbep-authorization'] ?? request.headers.authorization;
  const signature = typeof header === 'string' ? header : undefined;
  const verified = verifyNotice(signature, body, deps.keyring.keyOf, deps.wall.now().getTime());
  if (!verified.ok) {
    request.log.warn({ refusal: verified.error }, 'a notice was refused');
    if (verified.error === 'unknown-serial') await deps.keyring.refresh();
    return reply.code(401).send({ code: 'FAIL', message: verified.error });
  }
  const notice = read(body);
  if (!notice) return reply.code(500).send({ code: 'FAIL', message: 'unreadable' });
  const kept = { headers: signature === undefined ? {} : { 'tbep-authorization': signature }, body: body.toString('utf8') };
  await takeNotice(notice, kept, deps, (error) => request.log.error({ err: error, notice: notice.id }, 'a notice could not be acted on'));
  return reply.code(204).send();
}

function read(body: Buffer): ChannelNotice | undefined {
  try {
    const notice = Notice.safeParse(JSON.parse(body.toString('utf8')));
    return notice.success ? noticeOf(notice.data) : undefined;
  } catch {
    return undefined;
  }
}
