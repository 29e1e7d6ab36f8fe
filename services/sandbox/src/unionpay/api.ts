/** What merchants and browsers ask of UnionPay. Every request is checked by its signature, every answer is signed. */
import { no, type Result } from '@yunshi/kernel/result';
import { parseForm, writeMessage, type Fields } from '@yunshi/protocols/unionpay/message';
import { signAnswer, verifyRequest } from '@yunshi/protocols/unionpay/signature';
import { activeTraceparent } from '@yunshi/telemetry/trace';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Armed } from '../armed.ts';
import { said, type Said } from './codes.ts';
import type { UnionpayGateway } from './gateway.ts';
import type { UnionpayFolder } from './keys.ts';
import type { Mishap } from './mishaps.ts';
import { noticeView } from './order.ts';
import { cashierPage, errorPage, returnPage } from './pages.ts';

const BODY_BYTES_MAX = 64 * 1_024;

type Deps = {
  readonly gateway: UnionpayGateway;
  readonly folder: UnionpayFolder;
  readonly pageUrl: string | undefined;
  readonly mishaps: Armed<Mishap>;
};

export const unionpayApi = (deps: Deps) =>
  async function api(app: FastifyInstance): Promise<void> {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => done(null, body));
    const { gateway } = deps;
    for (const [path, carryOut] of [
      ['/gateway/api/queryTrans.do', gateway.query],
      ['/gateway/api/backTransReq.do', gateway.refund],
      ['/unionpay/filedownload', gateway.file],
    ] as const)
      app.post(path, async (request, reply) => answered(request, reply, deps, carryOut));
    browserRoutes(app, deps);
  };

async function answered(
  request: FastifyRequest,
  reply: FastifyReply,
  { folder, mishaps }: Deps,
  carryOut: (fields: Fields) => Promise<Result<Fields, Said>>,
): Promise<FastifyReply> {
  if (mishaps.take('call-fails')) return reply.code(500).send('');
  const asked = await verified(request, folder);
  const result = asked.ok ? await carryOut(asked.value) : asked;
  if (mishaps.take('answer-lost')) {
    request.raw.socket.destroy();
    return reply.hijack();
  }
  const { code, message } = result.ok ? said.done : result.error;
  const answer = signAnswer(
    { ...(asked.ok && repeated(asked.value)), ...(result.ok && result.value), respCode: code, respMsg: message },
    folder.signing(),
  );
  const sent = mishaps.take('answer-forged') ? { ...answer, respMsg: '成功' } : answer;
  return reply.code(200).type('text/html; charset=utf-8').send(writeMessage(sent));
}

const unrepeated = new Set(['certId', 'signature', 'signMethod', 'backUrl', 'fileType']);
/** What an answer repeats of its request. */
const repeated = (fields: Fields): Fields => Object.fromEntries(Object.entries(fields).filter(([name]) => !unrepeated.has(name)));

async function verified(request: FastifyRequest, folder: UnionpayFolder): Promise<Result<Fields, Said>> {
  const fields = parseForm(typeof request.body === 'string' ? request.body : '');
  if (!fields.ok) return no(said.format);
  const key = await folder.merchantKeyOf(fields.value['certId'] ?? '');
  const verdict = verifyRequest(fields.value, () => key);
  return verdict.ok ? fields : no(said.signature);
}

const headers = {
  'content-security-policy': "default-src 'none'; form-action 'self' http: https:",
  'referrer-policy': 'no-referrer',
};
const show = (reply: FastifyReply, html: string, status = 200): FastifyReply =>
  reply.code(status).type('text/html; charset=utf-8').headers(headers).send(html);

function browserRoutes(app: FastifyInstance, { gateway, folder, pageUrl }: Deps): void {
  const baseOf = (request: FastifyRequest): string => pageUrl ?? `${request.protocol}://${request.host}`;
  app.post('/gateway/api/frontTransReq.do', async (request, reply) => {
    const asked = await verified(request, folder);
    const { signature: _, ...fields } = asked.ok ? asked.value : {};
    const order = asked.ok ? await gateway.handOver({ fields: fields as Fields, traceparent: activeTraceparent() }) : asked;
    return order.ok ? reply.redirect(`/gateway/cashier/${order.value.token}`, 303) : show(reply, errorPage(order.error), 400);
  });
  app.get<{ Params: { token: string } }>('/gateway/cashier/:token', async (request, reply) => {
    const order = await gateway.orderOf(request.params.token);
    if (!order) return show(reply, errorPage(said.missing), 404);
    // Once it is chosen, the bank's page says how things stand.
    const payment = order.bankPaymentNo !== null ? await gateway.bankPaymentOf(order) : undefined;
    return payment ? reply.redirect(`/bank/pay/${payment.token}`, 303) : show(reply, cashierPage(order));
  });
  app.post<{ Params: { token: string } }>('/gateway/cashier/:token', async (request, reply) => {
    const form = parseForm(typeof request.body === 'string' ? request.body : '');
    const payment = form.ok ? await gateway.choose(request.params.token, form.value['bank'] ?? '', baseOf(request)) : undefined;
    return payment ? reply.redirect(`/bank/pay/${payment.token}`, 303) : show(reply, errorPage(said.late), 409);
  });
  app.get<{ Params: { token: string } }>('/gateway/cashier/:token/return', async (request, reply) => {
    const order = await gateway.orderOf(request.params.token);
    if (!order) return show(reply, errorPage(said.missing), 404);
    const fate = order.state === 'paid' ? {} : { respCode: said.atWork.code, respMsg: said.atWork.message };
    return show(reply, returnPage(order.frontUrl, signAnswer({ ...noticeView(order), ...fate }, folder.signing())));
  });
}
