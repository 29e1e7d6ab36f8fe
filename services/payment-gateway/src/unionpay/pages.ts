/**
 * The page that the buyer's browser hands the order over from. It is opened by whoever knows its address, and shows nothing but what is to be
 * paid to whom. Only its button hands over, so that nobody who merely looks at an address begins a payment that cannot be closed any more.
 */
import type { Clock } from '@yunshi/kernel/clock';
import type { Routes } from '@yunshi/http/server';
import { chinaTime } from '@yunshi/kernel/calendar';
import { yuan } from '@yunshi/kernel/money';
import type { Fields } from '@yunshi/protocols/unionpay/message';
import { signRequest } from '@yunshi/protocols/unionpay/signature';
import { wireTime } from '@yunshi/protocols/unionpay/time';
import { envelope, kinds } from '@yunshi/protocols/unionpay/trade';
import { randomBytes } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { attemptOf } from '../payment/numbers.ts';
import type { PaymentBook } from '../payment/payments.ts';
import { UNIONPAY_CALLBACK, UNIONPAY_PAGE, type Us } from './channel.ts';
import type { Form, UnionpayBook } from './forms.ts';
import type { UnionpayKeys } from './keys.ts';

type Deps = {
  readonly book: Pick<PaymentBook, 'orderOfAttempt' | 'of'>;
  readonly forms: UnionpayBook;
  readonly keys: UnionpayKeys;
  readonly us: Us;
  /** Where the buyer goes on after UnionPay's page. */
  readonly returnUrl: string | undefined;
  readonly companyOf: (payee: string) => string;
  readonly clock: Clock;
};

const RETURN = `${UNIONPAY_PAGE}/return`;
const Params = z.object({ token: z.string().max(64) });

export const unionpayPageRoutes = (deps: Deps): Routes =>
  async function pages(app) {
    // UnionPay sends the buyer back by a form, which nobody reads: coming back moves nothing.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 32 * 1_024 }, (_request, _body, done) => done(null, undefined));
    const config = { access: 'public', undocumented: 'pages for the buyer’s browser' } as const;
    app.get(`${UNIONPAY_PAGE}/:token`, { config, schema: { params: Params } }, async (request, reply) => {
      const form = await wantedForm(request.params.token, deps);
      return form ? show(reply, confirmation(form, deps)) : gone(reply);
    });
    app.post(`${UNIONPAY_PAGE}/:token`, { config, schema: { params: Params } }, async (request, reply) => {
      const now = deps.clock.now();
      const form = await wantedForm(request.params.token, deps);
      const given = form && (await deps.forms.handOver(form.token, { txnTime: wireTime(now), now }));
      if (!given) return gone(reply);
      const nonce = randomBytes(16).toString('base64');
      return show(reply, handOver(signRequest(orderOf(given, deps.us), deps.keys.signing()), deps.us, nonce), { us: deps.us, nonce });
    });
    app.route({
      method: ['GET', 'POST'],
      url: RETURN,
      config,
      handler: (_request, reply) =>
        deps.returnUrl === undefined
          ? show(reply, message('付款结果以银联通知为准', '请回到订单页面，按「已完成支付」查询结果。'))
          : reply.redirect(deps.returnUrl, 303),
    });
  };

/** The order that a page hands over, if it still waits for its money. */
async function wantedForm(token: string, { forms, book }: Deps): Promise<Form | undefined> {
  const form = await forms.formBy(token);
  const attemptId = form && attemptOf(form.number);
  const orderId = attemptId && (await book.orderOfAttempt(attemptId));
  const payment = orderId && (await book.of(orderId));
  const attempt = payment && payment.attempts.find((one) => one.attemptId === attemptId);
  if (!form || payment?.status !== 'open' || !attempt) return undefined;
  return attempt.status === 'opening' || attempt.status === 'open' || attempt.status === 'approving' ? form : undefined;
}

/** It follows from what we remember, so that a page that is opened again hands over the same order. */
const orderOf = (form: Form & { readonly txnTime: string }, us: Us): Fields => ({
  ...envelope,
  ...kinds.pay,
  merId: form.merId,
  orderId: form.number,
  txnTime: form.txnTime,
  txnAmt: String(form.amount),
  currencyCode: '156',
  payTimeout: wireTime(form.endsAt),
  frontUrl: `${us.pageBaseUrl}${RETURN}`,
  backUrl: `${us.notifyBaseUrl}${UNIONPAY_CALLBACK}`,
  reqReserved: form.orderId,
});

const signs: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (sign) => signs[sign] ?? sign);

const page = (title: string, body: string): string => `<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title>
<style>:root{color-scheme:light dark}body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.6 system-ui,"PingFang SC","Microsoft YaHei",sans-serif}
main{max-width:34rem;padding:24px}dl{display:grid;grid-template-columns:auto 1fr;gap:6px 16px}dd{margin:0;overflow-wrap:anywhere}
button{padding:10px 24px;border:0;font:inherit;font-weight:600;color:#fff;background:#0b62d6;cursor:pointer}button:focus-visible{outline:3px solid #f0a020;outline-offset:2px}</style>
<main><h1>${escaped(title)}</h1>${body}</main></html>`;

const message = (title: string, text: string): string => page(title, `<p>${escaped(text)}</p>`);

function confirmation({ amount, merId, description, endsAt }: Form, { companyOf }: Deps): string {
  const until = chinaTime(endsAt).slice(0, 16).replace('T', ' ');
  return page(
    '银联企业网银支付',
    `<dl><dt>收款方</dt><dd>${escaped(companyOf(merId))}（${escaped(merId)}）</dd><dt>金额</dt><dd>${yuan(amount)}</dd><dt>商品</dt><dd>${escaped(description)}</dd></dl>
<p>前往银联后，请在 ${until} 前由制单员提交、复核员复核。在此之前不能改用其他方式支付。</p>
<form method="post"><button>前往银联支付</button></form>`,
  );
}

/** The browser posts it by itself; where it does not run scripts, the buyer presses. */
function handOver(fields: Fields, { frontBaseUrl }: Us, nonce: string): string {
  const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`);
  const action = escaped(`${frontBaseUrl}/gateway/api/frontTransReq.do`);
  return page(
    '正在前往银联',
    `<form method="post" action="${action}" accept-charset="UTF-8">${inputs.join('')}<button>继续</button></form>
<script nonce="${nonce}">document.forms[0].submit()</script>`,
  );
}

const gone = (reply: FastifyReply): FastifyReply =>
  show(reply, message('这笔付款已不能继续', '订单已支付、已关闭，或已过支付期限。请回到订单页面查看。'), { status: 410 });

function show(
  reply: FastifyReply,
  html: string,
  { us, nonce, status = 200 }: { us?: Us; nonce?: string; status?: number } = {},
): FastifyReply {
  // UnionPay leads on to pages of its own and of banks: browsers hold those, too, against what a form may lead to.
  const to = us === undefined ? "'self'" : `https: ${new URL(us.frontBaseUrl).origin}`;
  const script = nonce === undefined ? '' : `; script-src 'nonce-${nonce}'`;
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .headers({
      'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; form-action ${to}; frame-ancestors 'none'${script}`,
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
    .send(html);
}
