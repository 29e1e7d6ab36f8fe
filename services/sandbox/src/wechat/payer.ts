/** The payer's side: pages for people, JSON for scripts, and the switches that make things go wrong. */
import type { Clock } from '@yunshi/kernel/clock';
import { no, ok } from '@yunshi/kernel/result';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Book } from './book.ts';
import type { KeyCabinet } from './cabinet.ts';
import { payable } from './order.ts';
import { ordersPage, paidPage, payPage, reasonOf, refusedPage } from './pages.ts';
import { Mishap, type Switches } from './switches.ts';
import { codeOf, type Scan, type WechatPay } from './wechat-pay.ts';

type Deps = {
  readonly pay: WechatPay;
  readonly book: Book;
  readonly cabinet: KeyCabinet;
  readonly switches: Switches;
  readonly clock: Clock;
  readonly wall: Clock;
};

const LISTED_MAX = 100;
/** The pages run no scripts and load nothing, whatever a merchant writes into a description. */
const pageHeaders = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
  'referrer-policy': 'no-referrer',
};

const Outcome = z.enum(['pays', 'fails']);
const Callback = z.enum(['at-once', 'late', 'lost', 'never']);
const ScanAsk = z.object({ code_url: z.string(), outcome: Outcome.default('pays'), callback: Callback.default('at-once') });
const NextAsk = z.object({ what: Mishap, times: z.int().min(0).max(10_000).default(1) });
const MistakeAsk = z.object({
  day: z.iso.date(),
  what: z.enum(['missing', 'stranger', 'amount', 'state', 'fee']),
  about: z.string().min(1).max(64),
});
const ModeAsk = z.object({ certificates: z.boolean().optional(), callbacks: z.enum(['public-key', 'certificate', 'mixed']).optional() });

export const payerPages = ({ pay, book, clock }: Deps) =>
  async function pages(app: FastifyInstance): Promise<void> {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 4096 }, (_request, body, done) =>
      done(null, new URLSearchParams(String(body))),
    );
    app.get('/', async (_request, reply) =>
      reply
        .type('text/html; charset=utf-8')
        .headers(pageHeaders)
        .send(ordersPage(await book.read.latestOrders(LISTED_MAX))),
    );

    app.get<{ Params: { code: string } }>('/pay/:code', async (request, reply) => {
      const order = await pay.look(request.params.code);
      if (order?.state === 'SUCCESS') return reply.type('text/html; charset=utf-8').headers(pageHeaders).send(paidPage(order));
      const open = payable(order, clock.now());
      if (!open.ok) return reply.code(410).type('text/html; charset=utf-8').headers(pageHeaders).send(refusedPage(open.error));
      return reply
        .type('text/html; charset=utf-8')
        .headers(pageHeaders)
        .send(await payPage(open.value));
    });

    app.post<{ Params: { code: string } }>('/pay/:code', async (request, reply) => {
      const how = request.body instanceof URLSearchParams ? (request.body.get('how') ?? '') : '';
      const [outcome, callback] = how.split(' ');
      const scan: Scan = { outcome: Outcome.catch('pays').parse(outcome), callback: Callback.catch('at-once').parse(callback) };
      const scanned = await pay.scan(request.params.code, scan);
      if (!scanned.ok) return reply.code(409).type('text/html; charset=utf-8').headers(pageHeaders).send(refusedPage(scanned.error));
      return reply.type('text/html; charset=utf-8').headers(pageHeaders).send(paidPage(scanned.value));
    });
  };

export const payerScripts = ({ pay, book, cabinet, switches, wall }: Deps) =>
  async function scripts(app: FastifyInstance): Promise<void> {
    /** What a merchant downloads by hand from the merchant console. */
    app.get('/sandbox/wechat/merchant-config', async () => {
      const { merchant, publicKeyPem } = cabinet.keys();
      return { ...merchant, public_key: publicKeyPem };
    });

    app.post('/sandbox/wechat/scan', async (request, reply) => {
      const ask = ScanAsk.safeParse(request.body);
      if (!ask.success) return reply.code(400).send({ code: 'invalid', message: z.prettifyError(ask.error) });
      const code = codeOf(ask.data.code_url);
      const scanned = code === undefined ? no('code-unknown' as const) : await pay.scan(code, ask.data);
      if (!scanned.ok) return reply.code(409).send({ code: scanned.error, message: reasonOf(scanned.error) });
      return { trade_state: scanned.value.state, transaction_ids: scanned.value.subOrders.map((sub) => sub.transactionId) };
    });

    app.get('/sandbox/wechat/next', async () => Object.fromEntries(switches.armed()));
    app.post('/sandbox/wechat/next', async (request, reply) => {
      const ask = NextAsk.safeParse(request.body);
      if (!ask.success) return reply.code(400).send({ code: 'invalid', message: z.prettifyError(ask.error) });
      await switches.arm(ask.data.what, ask.data.times);
      return Object.fromEntries(switches.armed());
    });
    app.delete('/sandbox/wechat/next', async (_request, reply) => {
      await switches.disarm();
      return reply.code(204).send();
    });

    app.post<{ Params: { number: string } }>('/sandbox/wechat/orders/:number/pay-unseen', async (request, reply) => {
      const paid = await pay.payUnseen(request.params.number);
      return paid.ok ? { trade_state: paid.value.state } : reply.code(409).send({ code: paid.error, message: reasonOf(paid.error) });
    });

    /** Mistakes that the bill of a day shall have; `about` is the merchant's number of a payment or a refund. */
    app.post('/sandbox/wechat/bill-mistakes', async (request, reply) => {
      const ask = MistakeAsk.safeParse(request.body);
      if (!ask.success) return reply.code(400).send({ code: 'invalid', message: z.prettifyError(ask.error) });
      const { day, what, about } = ask.data;
      await book.read.addMistake({ mistakeId: `${day} ${what} ${about}`, day, what, about });
      return reply.code(204).send();
    });
    app.delete('/sandbox/wechat/bill-mistakes', async (_request, reply) => {
      await book.read.dropMistakes();
      return reply.code(204).send();
    });

    app.get('/sandbox/wechat/mode', async () => cabinet.mode());
    app.put('/sandbox/wechat/mode', async (request, reply) => {
      const ask = ModeAsk.safeParse(request.body);
      if (!ask.success) return reply.code(400).send({ code: 'invalid', message: z.prettifyError(ask.error) });
      cabinet.setMode(ask.data);
      return cabinet.mode();
    });
    app.post('/sandbox/wechat/certificates', async () => {
      await cabinet.rotate(wall.now());
      return { serials: cabinet.keys().certificates.map(({ serial }) => serial) };
    });

    /** The payment service's own truth about one order, for those who compare it with theirs. */
    app.get<{ Params: { number: string } }>('/sandbox/wechat/orders/:number', async (request, reply) => {
      const found = await orderWithAll(book, request.params.number);
      return found.ok ? found.value : reply.code(404).send({ code: found.error, message: '没有这个订单' });
    });
    app.get('/sandbox/wechat/orders', async () => ({ items: await book.read.latestOrders(LISTED_MAX) }));
  };

async function orderWithAll({ read }: Book, number: string) {
  const order = await read.order(number);
  if (!order) return no('order-unknown');
  const refunds = await read.refundsOf(order.subOrders.map((sub) => sub.outTradeNo));
  const notices = (await Promise.all([number, ...refunds.map((refund) => refund.outRefundNo)].map(read.noticesAbout))).flat();
  return ok({ ...order, refunds, notices });
}
