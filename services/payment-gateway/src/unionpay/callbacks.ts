/** Where UnionPay sends its notices. Verified, stored and acted on first, accepted with 200 then; anything else it sends again. */
import type { Clock } from '@yunshi/kernel/clock';
import type { Routes } from '@yunshi/http/server';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { parseForm } from '@yunshi/protocols/unionpay/message';
import { verifyAnswer, type SignatureRefusal } from '@yunshi/protocols/unionpay/signature';
import { Notice } from '@yunshi/protocols/unionpay/trade';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { takeNotice, type Taking } from '../payment/notices.ts';
import { noticeOf, UNIONPAY_CALLBACK } from './channel.ts';
import type { UnionpayBook } from './forms.ts';
import type { UnionpayKeys } from './keys.ts';

const BODY_BYTES_MAX = 32 * 1_024;

type Deps = Taking & { readonly keys: UnionpayKeys; readonly forms: Pick<UnionpayBook, 'formOf'>; readonly wall: Clock };

export const unionpayCallbackRoutes = (deps: Deps): Routes =>
  async function callbacks(app) {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => done(null, body));
    const config = { access: 'public', undocumented: 'called by UnionPay, which signs what it sends' } as const;
    app.post(UNIONPAY_CALLBACK, { config }, async (request, reply) => take(request, reply, deps));
  };

async function take(request: FastifyRequest, reply: FastifyReply, deps: Deps): Promise<FastifyReply> {
  const body = Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '';
  const read = readNotice(body, deps);
  if (!read.ok) {
    request.log.warn({ refusal: read.error }, 'a notice was refused');
    return reply
      .code(read.error === 'unreadable' ? 500 : 401)
      .type('text/plain')
      .send(read.error);
  }
  const notice = noticeOf(read.value, await deps.forms.formOf(read.value.orderId));
  // The signature is in the body.
  await takeNotice(notice, { headers: {}, body }, deps, (error) =>
    request.log.error({ err: error, notice: notice.id }, 'a notice could not be acted on'),
  );
  return reply.code(200).type('text/plain').send('ok');
}

/** `unreadable`: truly UnionPay's, but in no shape that we know. */
function readNotice(body: string, { keys, wall }: Deps): Result<Notice, SignatureRefusal | 'malformed' | 'unreadable'> {
  const fields = parseForm(body);
  if (!fields.ok) return fields;
  const verified = verifyAnswer(fields.value, keys.trust(), wall.now().getTime());
  if (!verified.ok) return verified;
  const notice = Notice.safeParse(fields.value);
  return notice.success ? ok(notice.data) : no('unreadable');
}
