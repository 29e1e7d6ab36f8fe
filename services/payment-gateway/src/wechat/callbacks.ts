/** Where WeChat Pay calls back. Verified, stored and acted on first, accepted then; anything else it sends again. */
import type { Clock } from '@yunshi/kernel/clock';
import type { Routes } from '@yunshi/http/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readCallback } from './callback.ts';
import type { Keyring } from './keyring.ts';
import { takeNotice, type Taking } from '../payment/notices.ts';
import type * as tables from '../tables.ts';
import { noticeOf } from './channel.ts';
import { PAYMENT_CALLBACK, REFUND_CALLBACK, WITHDRAWAL_CALLBACK, type Us } from './requests.ts';

const BODY_BYTES_MAX = 64 * 1_024;

export type KeptNotice = Pick<typeof tables.notices.$inferSelect, 'noticeId' | 'channel' | 'headers' | 'body'>;

type Deps = Taking & {
  readonly us: Us;
  readonly keyring: Keyring;
  readonly apiV3Keys: () => readonly Buffer[];
  readonly wall: Clock;
  /** Keeps a verified notice about a withdrawal, and has the channel asked about it. */
  readonly hearOfWithdrawal: (number: string, notice: KeptNotice) => Promise<void>;
};

export const wechatCallbackRoutes = (deps: Deps): Routes =>
  async function callbacks(app) {
    // The signature is over the bytes as they came.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => done(null, body));
    const config = { access: 'public', undocumented: 'called by WeChat Pay, which signs what it sends' } as const;
    for (const path of [PAYMENT_CALLBACK, REFUND_CALLBACK, WITHDRAWAL_CALLBACK])
      app.post(path, { config }, async (request, reply) => take(request, reply, deps));
  };

async function take(request: FastifyRequest, reply: FastifyReply, deps: Deps): Promise<FastifyReply> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const read = await readNow(request, body, deps);
  if (!read.ok) {
    const level = read.error === 'signature-probe' ? 'info' : 'warn';
    request.log[level]({ refusal: read.error }, 'a callback was refused');
    return reply.code(read.error === 'cannot-open' || read.error === 'unreadable' ? 500 : 401).send({ code: 'FAIL', message: read.error });
  }
  const notice = { headers: wechatHeaders(request), body: body.toString('utf8') };
  if (read.value.kind === 'withdrawal') {
    const { id, number, mchid } = read.value;
    if (mchid === deps.us.mchid) await deps.hearOfWithdrawal(number, { noticeId: id, channel: 'wechat_native', ...notice });
    return reply.code(204).send();
  }
  await takeNotice(noticeOf(read.value, deps.us), notice, deps, (error) =>
    request.log.error({ err: error, notice: read.value.id }, 'a callback could not be acted on'),
  );
  return reply.code(204).send();
}

async function readNow(request: FastifyRequest, body: Buffer, { keyring, apiV3Keys, wall }: Deps) {
  const read = () => readCallback(request.headers, body, { keyOf: keyring.keyOf, apiV3Keys: apiV3Keys(), wallMs: wall.now().getTime() });
  const first = read();
  if (first.ok || first.error !== 'unknown-serial') return first;
  await keyring.refresh();
  return read();
}

const wechatHeaders = (request: FastifyRequest): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      name.startsWith('wechatpay-') && typeof value === 'string' ? [[name, value]] : [],
    ),
  );
