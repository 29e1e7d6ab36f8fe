/** Where WeChat Pay calls back. Verified, stored and acted on first, accepted then; anything else it sends again. */
import type { Clock } from '@yunshi/kernel/clock';
import { OrderId } from '@yunshi/kernel/ids';
import type { Routes } from '@yunshi/http/server';
import type { Core } from '@yunshi/messaging/core';
import { paymentCallback } from '@yunshi/telemetry/metrics';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readCallback, type Callback } from '../wechat/callback.ts';
import type { Keyring } from '../wechat/keyring.ts';
import { attemptOf } from './numbers.ts';
import type { PaymentBook } from './payments.ts';
import { PAYMENT_CALLBACK, REFUND_CALLBACK, type Us } from './requests.ts';
import type { paymentWrites } from './writes.ts';

const BODY_BYTES_MAX = 64 * 1_024;

type Deps = {
  readonly core: Pick<Core, 'write' | 'clock'>;
  readonly book: PaymentBook;
  readonly writes: ReturnType<typeof paymentWrites>;
  readonly us: Us;
  readonly keyring: Keyring;
  readonly apiV3Key: Buffer;
  readonly wall: Clock;
};

export const callbackRoutes = (deps: Deps): Routes =>
  async function callbacks(app) {
    // The signature is over the bytes as they came.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => done(null, body));
    const config = { access: 'public', undocumented: 'called by WeChat Pay, which signs what it sends' } as const;
    for (const path of [PAYMENT_CALLBACK, REFUND_CALLBACK])
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
  await work(read.value, request, body, deps);
  return reply.code(204).send();
}

async function readNow(request: FastifyRequest, body: Buffer, { keyring, apiV3Key, wall }: Deps) {
  const read = () => readCallback(request.headers, body, { keyOf: keyring.keyOf, apiV3Key, wallMs: wall.now().getTime() });
  const first = read();
  if (first.ok || first.error !== 'unknown-serial') return first;
  await keyring.refresh();
  return read();
}

/** Throws when nothing could be stored: WeChat Pay then gets a 5xx and sends it again. */
async function work(callback: Callback, request: FastifyRequest, body: Buffer, { core, book, writes, us }: Deps): Promise<void> {
  const orderId = await orderOf(callback, us, book);
  const { now } = core.clock;
  const notice = {
    noticeId: callback.id,
    channel: 'wechat_native' as const,
    kind: callback.kind,
    orderId: orderId ?? null,
    headers: wechatHeaders(request),
    body: body.toString('utf8'),
    receivedAt: now(),
    worked: orderId !== undefined,
  };
  const moneyAt = callback.kind === 'order' ? callback.order.paidAt : callback.kind === 'refund' ? callback.refund.succeededAt : undefined;
  if (moneyAt !== undefined) {
    const lagSeconds = (now().getTime() - Date.parse(moneyAt)) / 1_000;
    paymentCallback({ channel: 'wechat_native', kind: callback.kind === 'refund' ? 'refund' : 'payment', lagSeconds });
  }
  if (orderId === undefined) return void (await core.write(writes.keepCallback, { notice, callback }));
  try {
    await core.write(writes.takeCallback, { orderId, notice, callback });
  } catch (error) {
    if (isPassing(error)) throw error;
    // It will not decide better the next time: it is kept for an operator, and not sent fifteen times more.
    request.log.error({ err: error, notice: callback.id, order: orderId }, 'a callback could not be acted on');
    await core.write(writes.keepCallback, { notice: { ...notice, worked: false }, callback });
  }
}

const isPassing = (error: unknown): boolean => error instanceof Error && (error.name === 'Overloaded' || error.name === 'Unavailable');

/** Whose payment it is about: the order number that we attached, or that of the attempt. Only our own merchant's orders count. */
async function orderOf(callback: Callback, us: Us, book: PaymentBook): Promise<OrderId | undefined> {
  if (callback.kind === 'other') return undefined;
  if (callback.kind === 'refund') {
    const attemptId = callback.mchid === us.mchid ? attemptOf(callback.refund.refundNo) : undefined;
    return attemptId && book.orderOfAttempt(attemptId);
  }
  if (callback.order.mchid !== us.mchid || callback.order.appid !== us.appid) return undefined;
  const attached = OrderId.safeParse(callback.attach);
  if (attached.success) return attached.data;
  const attemptId = attemptOf(callback.order.number);
  return attemptId && book.orderOfAttempt(attemptId);
}

const wechatHeaders = (request: FastifyRequest): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      name.startsWith('wechatpay-') && typeof value === 'string' ? [[name, value]] : [],
    ),
  );
