/** The API that merchants call: `/v3/…`. Every request is checked by its signature, every answer is signed. */
import { randomBytes } from 'node:crypto';
import { chinaTime } from '@yunshi/kernel/calendar';
import type { Clock } from '@yunshi/kernel/clock';
import { answerHeaders, type AnswerKey } from '@yunshi/protocols/wechat/answer-signature';
import type { Certificates } from '@yunshi/protocols/wechat/certificates';
import { CombineCloseRequest, CombineNativeRequest } from '@yunshi/protocols/wechat/combine';
import { AbnormalRefundRequest, RefundRequest } from '@yunshi/protocols/wechat/refund';
import { requestMessage, verifyRequest } from '@yunshi/protocols/wechat/request-signature';
import { apiV3Key, openField, seal } from '@yunshi/protocols/wechat/seal';
import { activeTraceparent } from '@yunshi/telemetry/trace';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { billRoutes } from './api-bills.ts';
import { fundRoutes } from './api-funds.ts';
import type { Bills } from './billing.ts';
import type { KeyCabinet } from './cabinet.ts';
import { refusals, skewedClock, unreadableAuthorization, wrongSignature, type Refusal } from './refusal.ts';
import type { Switches } from './switches.ts';
import type { WechatPay } from './wechat-pay.ts';
import { answer, bodyOf, read } from './wire.ts';

const BODY_BYTES_MAX = 256 * 1024;

type Deps = {
  readonly pay: WechatPay;
  readonly bills: Bills;
  readonly cabinet: KeyCabinet;
  readonly switches: Switches;
  readonly wall: Clock;
};

declare module 'fastify' {
  interface FastifyRequest {
    /** The signature that this answer will carry; null where the answer gets lost on purpose. */
    wechatAnswer: { key: AnswerKey; fate: 'whole' | 'lost' | 'forged' } | null;
  }
}

/** A fastify plugin: it has its own body parser, because signatures are over raw bytes. */
export const wechatApi = ({ pay, bills, cabinet, switches, wall }: Deps) =>
  async function api(app: FastifyInstance): Promise<void> {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => done(null, body));
    app.decorateRequest('wechatAnswer', null);

    app.addHook('onRequest', async (request) => {
      const named = header(request, 'wechatpay-serial');
      const fate = switches.take('answer-lost') ? 'lost' : switches.take('answer-forged') ? 'forged' : 'whole';
      request.wechatAnswer = { key: cabinet.answerKey(named) ?? cabinet.keys().publicKey, fate };
    });
    app.addHook('preHandler', async (request, reply) => {
      const refusal = mishap(switches) ?? refuse(request, cabinet, wall.now().getTime());
      if (refusal) return reply.code(refusal.status).send(refusal.body);
    });
    app.addHook('onSend', async (request, reply, payload) => signAnswer(request, reply, payload, wall));
    app.setNotFoundHandler(async (_request, reply) => reply.code(404).send(refusals.notFound.body));

    app.get('/v3/certificates', async (_request, reply) =>
      answer(
        reply,
        cabinet.certificatesEnabled() ? { ok: true, value: certificates(cabinet) } : { ok: false, error: refusals.noCertificate },
      ),
    );

    app.post('/v3/combine-transactions/native', async (request, reply) => {
      const ask = read(CombineNativeRequest, request);
      if (!ask.ok) return answer(reply, ask);
      const stranger = strangerIn(ask.value, cabinet);
      if (stranger) return answer(reply, { ok: false, error: stranger });
      return answer(reply, await pay.place(ask.value, { traceparent: activeTraceparent() }));
    });
    app.get<{ Params: { number: string } }>('/v3/combine-transactions/out-trade-no/:number', async (request, reply) => {
      return answer(reply, await pay.query(request.params.number));
    });
    app.post<{ Params: { number: string } }>('/v3/combine-transactions/out-trade-no/:number/close', async (request, reply) => {
      const ask = read(CombineCloseRequest, request);
      return answer(reply, ask.ok ? await pay.close(request.params.number, ask.value) : ask);
    });

    app.post('/v3/ecommerce/refunds/apply', async (request, reply) => {
      const ask = read(RefundRequest, request);
      return answer(reply, ask.ok ? await pay.refund(ask.value, { traceparent: activeTraceparent() }) : ask);
    });
    app.post<{ Params: { refund: string } }>('/v3/ecommerce/refunds/:refund/apply-abnormal-refund', async (request, reply) => {
      const ask = read(AbnormalRefundRequest, request);
      if (!ask.ok) return answer(reply, ask);
      const { privateKey } = request.wechatAnswer?.key ?? cabinet.keys().publicKey;
      return answer(reply, await pay.applyAbnormal(request.params.refund, ask.value, (sealed) => openField(sealed, privateKey).ok));
    });
    type RefundQuery = { Params: { number: string }; Querystring: { sub_mchid?: string } };
    app.get<RefundQuery>('/v3/ecommerce/refunds/out-refund-no/:number', async (request, reply) => {
      return answer(reply, await pay.queryRefund({ outRefundNo: request.params.number }, request.query.sub_mchid ?? ''));
    });
    app.get<RefundQuery>('/v3/ecommerce/refunds/id/:number', async (request, reply) => {
      return answer(reply, await pay.queryRefund({ refundId: request.params.number }, request.query.sub_mchid ?? ''));
    });
    fundRoutes(app, pay);
    billRoutes(app, bills);
  };

function mishap(switches: Switches): Refusal | undefined {
  if (switches.take('call-fails')) return refusals.systemError;
  if (switches.take('call-throttled')) return refusals.tooFrequent;
  return undefined;
}

/** What is wrong with the request before anyone reads its body. */
function refuse(request: FastifyRequest, cabinet: KeyCabinet, wallMs: number): Refusal | undefined {
  if (header(request, 'accept') === undefined || header(request, 'user-agent') === undefined) return refusals.accept;
  const { merchant, merchantPublicKey } = cabinet.keys();
  const wire = { method: request.method, target: request.raw.url ?? '', body: bodyOf(request) };
  const keyOf = (serial: string) => (serial === merchant.merchant_serial ? merchantPublicKey : undefined);
  const verdict = verifyRequest(header(request, 'authorization'), wire, keyOf, wallMs);
  if (verdict.ok) {
    if (verdict.value.mchid !== merchant.mchid) return refusals.merchant;
    return cabinet.answerKey(header(request, 'wechatpay-serial')) ? undefined : refusals.serial;
  }
  switch (verdict.error) {
    case 'malformed':
      return unreadableAuthorization;
    case 'clock-skewed':
      return skewedClock;
    case 'unknown-serial':
    case 'wrong-signature':
      return wrongSignature(wire.method, wire.target, requestMessage(wire, 'TIMESTAMP', 'NONCE').toString());
  }
}

/** The order must be by and for the merchant that signed. */
function strangerIn(ask: CombineNativeRequest, cabinet: KeyCabinet): Refusal | undefined {
  const { mchid, appid } = cabinet.keys().merchant;
  if (ask.combine_mchid !== mchid || ask.sub_orders.some((sub) => sub.mchid !== mchid)) return refusals.merchant;
  return ask.combine_appid === appid ? undefined : refusals.appid;
}

async function signAnswer(request: FastifyRequest, reply: FastifyReply, payload: unknown, wall: Clock): Promise<unknown> {
  const { key, fate } = request.wechatAnswer ?? {};
  // A bill's file is told by its hash, and carries no signature.
  if (!key || Buffer.isBuffer(payload)) return payload;
  if (fate === 'lost') {
    request.raw.socket.destroy();
    return payload;
  }
  const body = typeof payload === 'string' ? payload : '';
  const signed = answerHeaders(body, key, { wallMs: wall.now().getTime(), nonce: randomBytes(16).toString('hex') });
  if (fate === 'forged') signed['wechatpay-signature'] = Buffer.from(randomBytes(256)).toString('base64');
  reply.headers({
    ...signed,
    'request-id': `08${randomBytes(10).toString('hex').toUpperCase()}-${reply.statusCode === 200 ? 0 : 268435456 + reply.statusCode}`,
  });
  return payload;
}

function certificates(cabinet: KeyCabinet): Certificates {
  const { merchant, certificates: all } = cabinet.keys();
  return {
    data: all.map(({ serial, pem, from, until }) => ({
      serial_no: serial,
      effective_time: chinaTime(from),
      expire_time: chinaTime(until),
      encrypt_certificate: seal(pem, apiV3Key(merchant.apiv3_key), randomBytes(6).toString('hex'), 'certificate'),
    })),
  };
}

const header = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};
