/** The payer's phone, as a web page. Chinese first, English below it. */
import { chinaTime } from '@yunshi/kernel/calendar';
import { yuan } from '@yunshi/kernel/money';
import QRCode from 'qrcode';
import { Html, html } from '../html.ts';
import type { Order, Unpayable } from './order.ts';
import { codeUrl } from './wechat-pay.ts';

const style = new Html(`
  :root { color-scheme: light dark; --green: #07c160; --ink: #1a1a1a; --soft: #767676; --card: #fff; --ground: #f2f3f5; --line: #e7e7e7 }
  @media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #9a9a9a; --card: #202020; --ground: #111; --line: #333 } }
  * { box-sizing: border-box }
  body { margin: 0; min-height: 100vh; background: var(--ground); color: var(--ink); font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; display: grid; place-items: center; padding: 24px 16px }
  main { width: 100%; max-width: 26rem; background: var(--card); border-radius: 16px; padding: 28px 24px; box-shadow: 0 8px 32px #0001 }
  main.wide { max-width: 60rem }
  h1 { font-size: 1rem; font-weight: 600; margin: 0 0 20px; display: flex; justify-content: space-between; color: var(--green) }
  h1 small { font-weight: 400; color: var(--soft) }
  .amount { font-size: 2.6rem; font-weight: 600; text-align: center; margin: 4px 0 0; font-variant-numeric: tabular-nums }
  .what { text-align: center; color: var(--soft); margin: 0 0 16px; overflow-wrap: anywhere }
  dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 16px; margin: 16px 0; padding: 16px 0; border-block: 1px solid var(--line); font-size: .9rem }
  dt { color: var(--soft) } dd { margin: 0; text-align: right; overflow-wrap: anywhere }
  .qr { display: block; margin: 0 auto; width: 12rem; height: 12rem; background: #fff; border-radius: 8px; padding: 4px }
  button { width: 100%; border: 0; border-radius: 10px; padding: 14px; font: inherit; font-weight: 600; color: #fff; background: var(--green); cursor: pointer }
  button:focus-visible, summary:focus-visible, input:focus-visible, a:focus-visible { outline: 3px solid #10aeff; outline-offset: 2px }
  details { margin-top: 16px; font-size: .9rem } summary { cursor: pointer; color: var(--soft) }
  label { display: block; padding: 6px 0; cursor: pointer }
  .done { text-align: center; padding: 20px 0 } .done b { display: block; font-size: 3rem; line-height: 1.2; color: var(--green) } .done b.bad { color: #fa5151 }
  table { width: 100%; border-collapse: collapse; font-size: .9rem } td, th { text-align: left; padding: 8px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
  a { color: inherit }
  footer { margin-top: 20px; font-size: .8rem; color: var(--soft); text-align: center }
`);

const page = (title: string, body: Html, wide = false): string =>
  html`<!doctype html>
    <html lang="zh-CN">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title}</title>
      <style>
        ${style}
      </style>
      <main class="${wide ? 'wide' : ''}">
        <h1><span>微信支付</span><small>沙箱 Sandbox</small></h1>
        ${body}
        <footer>这里没有真钱。 No real money moves here.</footer>
      </main>
    </html>`.text;

const total = (order: Order): number => order.subOrders.reduce((sum, sub) => sum + sub.amount, 0);
const clockTime = (at: Date): string => chinaTime(at).slice(0, 19).replace('T', ' ');

const summary = (order: Order): Html => html`
  <p class="amount">${yuan(total(order))}</p>
  <p class="what">${order.subOrders.map((sub) => sub.description).join('；')}</p>
  <dl>
    <dt>收款方 Payee</dt>
    <dd>特约商户 ${order.subOrders.map((sub) => sub.subMchid).join('、')}</dd>
    <dt>商户单号 Order</dt>
    <dd>${order.number}</dd>
    <dt>支付截止 Pay by</dt>
    <dd>${clockTime(order.expiresAt)}</dd>
  </dl>
`;

const choices = [
  ['pays at-once', '正常支付', 'Pay'],
  ['fails at-once', '支付失败（银行拒绝）', 'The bank refuses'],
  ['pays late', '支付成功，通知迟到一分钟', 'Paid; the notice comes a minute late'],
  ['pays lost', '支付成功，第一次通知丢失', 'Paid; the first notice gets lost'],
  ['pays never', '支付成功，通知全部丢失（商户须查单）', 'Paid; no notice ever arrives'],
] as const;

export async function payPage(order: Order): Promise<string> {
  const qr = new Html(await QRCode.toString(codeUrl(order), { type: 'svg', margin: 1 }));
  const options = choices.map(
    ([value, zh, en], index) =>
      html`<label
        ><input type="radio" name="how" value="${value}" ${new Html(index === 0 ? 'checked' : '')} /> ${zh} <small>${en}</small></label
      >`,
  );
  return page(
    '微信支付',
    html`${summary(order)}
      <div class="qr" role="img" aria-label="${codeUrl(order)}">${qr}</div>
      <form method="post">
        <p></p>
        <button>支付 ${yuan(total(order))}</button>
        <details>
          <summary>让这次支付出点问题 · Make something go wrong</summary>
          ${options}
        </details>
      </form>`,
  );
}

const reasons: Readonly<Record<Unpayable | 'payment-failed', readonly [string, string]>> = {
  'code-unknown': ['二维码已失效，请回到商户页面刷新', 'This code is not, or no longer, in use'],
  'code-expired': ['二维码已过期（两小时），请回到商户页面刷新', 'The code is older than two hours'],
  'order-paid': ['该订单已支付', 'This order is paid already'],
  'order-closed': ['该订单已关闭，不能支付', 'The merchant has closed this order'],
  'order-expired': ['已过支付截止时间', 'The time to pay is over'],
  'payment-failed': ['支付失败，银行拒绝了这笔交易。可以再试一次', 'The bank refused. You may try again'],
};
export const reasonOf = (why: Unpayable | 'payment-failed'): string => reasons[why][0];

export const paidPage = (order: Order): string =>
  page(
    '支付成功',
    html`<div class="done"><b>✓</b>支付成功<br /><small>Paid</small></div>
      ${summary(order)}`,
  );

export const refusedPage = (why: Unpayable | 'payment-failed'): string =>
  page(reasons[why][0], html`<div class="done"><b class="bad">!</b>${reasons[why][0]}<br /><small>${reasons[why][1]}</small></div>`);

const states = { NOTPAY: '待支付', SUCCESS: '已支付', CLOSED: '已关闭', PAYERROR: '支付失败' } as const;

export const ordersPage = (orders: readonly Order[]): string =>
  page(
    '沙箱 · 微信支付订单',
    html`<table>
      <tr>
        <th>下单时间</th>
        <th>商户单号</th>
        <th>商品</th>
        <th>金额</th>
        <th>状态</th>
      </tr>
      ${orders.map(
        (order) =>
          html`<tr>
            <td>${clockTime(order.createdAt)}</td>
            <td><a href="/pay/${order.code}">${order.number}</a></td>
            <td>${order.subOrders.map((sub) => sub.description).join('；')}</td>
            <td>${yuan(total(order))}</td>
            <td>${states[order.state]}</td>
          </tr>`,
      )}
    </table>`,
    true,
  );
