/** The banks' own pages, where a company's clerks do their part, and the switches for tests. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Book } from './book.ts';
import type { BankChannel } from './channel.ts';
import { clerkOf, SANDBOX_PASSWORD } from './customers.ts';
import type { Maintenance } from './maintenance.ts';
import { Mishap, type Mishaps } from './mishaps.ts';
import { loginPage, messagePage, voucherPage, vouchersPage } from './pages.ts';
import type { DeskRefusal } from './payment.ts';

const MistakeAsk = z.object({
  day: z.iso.date(),
  what: z.enum(['missing', 'stranger', 'amount', 'state', 'fee']),
  about: z.string().min(1).max(64),
});

type Deps = { readonly channel: BankChannel; readonly book: Book; readonly mishaps: Mishaps };
type Session = { readonly customerNo: string; readonly user: string };

const headers = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
  'referrer-policy': 'no-referrer',
};
const show = (reply: FastifyReply, page: string, status = 200): FastifyReply =>
  reply.code(status).type('text/html; charset=utf-8').headers(headers).send(page);

const words: Readonly<Record<DeskRefusal, string>> = {
  'page-unknown': '页面已失效，请回到商户页面重新进入',
  'not-open': '该订单当前不能操作，可能已关闭或已处理',
  'not-allowed': '您没有操作该凭证的权限',
  'checker-unknown': '请选择本单位的复核员',
  'own-voucher': '制单员不能复核本人提交的凭证',
};

/** Logins last as long as the process. */
function sessions() {
  const key = randomBytes(32);
  const tag = (text: string): Buffer => createHmac('sha256', key).update(text).digest();
  return {
    of: (request: FastifyRequest): Session | undefined => {
      const [, text, mac] = /(?:^|;\s*)bank=([\w.]+)-([0-9a-f]{64})/.exec(request.headers.cookie ?? '') ?? [];
      if (text === undefined || mac === undefined || !timingSafeEqual(tag(text), Buffer.from(mac, 'hex'))) return undefined;
      const [customerNo = '', user = ''] = text.split('.');
      return { customerNo, user };
    },
    cookie: ({ customerNo, user }: Session): string => {
      const text = `${customerNo}.${user}`;
      return `bank=${text}-${tag(text).toString('hex')}; Path=/bank; HttpOnly; SameSite=Strict`;
    },
  };
}

export const bankDesk = ({ channel }: Deps) =>
  async function desk(app: FastifyInstance): Promise<void> {
    const login = sessions();
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 4096 }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    const form = (request: FastifyRequest, name: string): string => (request.body as Readonly<Record<string, string>> | null)?.[name] ?? '';

    app.post('/bank/login', async (request, reply) => {
      const session = { customerNo: form(request, 'customer_no'), user: form(request, 'user') };
      const next = /^\/bank\/[\w/]*$/.test(form(request, 'next')) ? form(request, 'next') : '/bank/vouchers';
      if (!clerkOf(session.customerNo, session.user) || form(request, 'password') !== SANDBOX_PASSWORD)
        return show(reply, loginPage(next, '客户识别号、用户或密码不正确'), 401);
      return reply.header('set-cookie', login.cookie(session)).redirect(next, 303);
    });

    app.get<{ Params: { token: string } }>('/bank/pay/:token', async (request, reply) => {
      const payment = await channel.pageOf(request.params.token);
      if (!payment) return show(reply, messagePage('页面已失效', words['page-unknown']), 404);
      const session = login.of(request);
      if (!session) return show(reply, loginPage(request.url));
      return show(reply, voucherPage(payment, session));
    });
    app.post<{ Params: { token: string } }>('/bank/pay/:token', async (request, reply) => {
      const session = login.of(request);
      if (!session) return show(reply, loginPage(request.url), 401);
      const done = await channel.submit(request.params.token, { ...session, checker: form(request, 'checker') });
      if (!done.ok) return show(reply, messagePage('未能提交', words[done.error]), 409);
      const { voucherNo, returnUrl } = done.value;
      return show(reply, messagePage('已提交复核', `凭证号 ${voucherNo ?? ''}，请通知复核员登录网银复核。`, returnUrl));
    });

    app.get('/bank/vouchers', async (request, reply) => {
      const session = login.of(request);
      if (!session) return show(reply, loginPage('/bank/vouchers'));
      return show(reply, vouchersPage(await channel.vouchersFor(session.customerNo, session.user), session));
    });
    app.post<{ Params: { voucher: string } }>('/bank/vouchers/:voucher', async (request, reply) => {
      const session = login.of(request);
      if (!session) return show(reply, loginPage('/bank/vouchers'), 401);
      const approves = form(request, 'decision') === 'approve';
      const done = await channel.decide(request.params.voucher, { ...session, approves });
      if (!done.ok) return show(reply, messagePage('未能复核', words[done.error]), 409);
      return show(reply, messagePage(approves ? '复核通过，款项已付出' : '已拒绝，凭证作废', '', done.value.returnUrl));
    });
  };

const NextAsk = z.object({ what: Mishap, times: z.int().min(0).max(10_000).default(1) });

export const bankScripts = ({ channel, book, mishaps, maintenance }: Deps & { readonly maintenance: Maintenance }) =>
  async function scripts(app: FastifyInstance): Promise<void> {
    app.post('/sandbox/bank/next', async (request, reply) => {
      const ask = NextAsk.safeParse(request.body);
      if (!ask.success) return reply.code(400).send({ code: 'invalid', message: z.prettifyError(ask.error) });
      mishaps.arm(ask.data.what, ask.data.times);
      return ask.data;
    });
    /** 退票 */
    app.post<{ Params: { number: string } }>('/sandbox/bank/payments/:number/revoke', async (request, reply) => {
      const done = await channel.revoke(request.params.number);
      return done.ok ? { status: done.value.status } : reply.code(409).send({ code: done.error, message: words[done.error] });
    });
    /** The channel's own truth about one payment. */
    app.get<{ Params: { number: string } }>('/sandbox/bank/payments/:number', async (request, reply) => {
      const { number } = request.params;
      const payment = await book.read.payment(number);
      if (!payment) return reply.code(404).send({ code: 'payment-unknown', message: '没有这个支付单' });
      return { ...payment, refunds: await book.read.refundsOf(number), notices: await book.read.noticesAbout(number) };
    });

    app.post<{ Params: { bank: string } }>('/sandbox/bank/banks/:bank/maintenance', async (request, reply) => {
      const ask = z.object({ info: z.string().min(1).max(200) }).safeParse(request.body);
      if (!ask.success) return reply.code(400).send({ code: 'invalid', message: z.prettifyError(ask.error) });
      maintenance.close(request.params.bank, ask.data.info);
      return reply.code(204).send();
    });
    app.delete<{ Params: { bank: string } }>('/sandbox/bank/banks/:bank/maintenance', async (request, reply) => {
      maintenance.open(request.params.bank);
      return reply.code(204).send();
    });

    /** Mistakes that the bill of a day shall have; `about` is the platform's number of a payment or a refund. */
    app.post('/sandbox/bank/bill-mistakes', async (request, reply) => {
      const ask = MistakeAsk.safeParse(request.body);
      if (!ask.success) return reply.code(400).send({ code: 'invalid', message: z.prettifyError(ask.error) });
      const { day, what, about } = ask.data;
      await book.read.addMistake({ mistakeId: `${day} ${what} ${about}`, day, what, about });
      return reply.code(204).send();
    });
  };
