/** UnionPay's pages between the merchant's and the bank's. */
import { bankNames } from '@yunshi/kernel/banks';
import { yuan } from '@yunshi/kernel/money';
import type { Fields } from '@yunshi/protocols/unionpay/message';
import { html, type Html } from '../html.ts';
import type { Said } from './codes.ts';
import type { UnionpayOrder } from './tables.ts';

const page = (title: string, body: Html): string =>
  html`<!doctype html>
    <html lang="zh-CN">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title}</title>
      <main>
        <h1>银联在线支付 <small>沙箱 Sandbox</small></h1>
        ${body}
        <footer>这里没有真钱。 No real money moves here.</footer>
      </main>
    </html>`.text;

export const errorPage = ({ code, message }: Said): string => page('交易失败', html`<p>[${code}] ${message}</p>`);

/** Where the buyer chooses the bank. */
export const cashierPage = ({ merId, orderId, amount }: UnionpayOrder): string =>
  page(
    '选择银行',
    html`<p>商户 ${merId}，订单 ${orderId}，${yuan(amount)}</p>
      <form method="post">
        <label
          >付款银行 Bank
          <select name="bank">
            ${Object.entries(bankNames).map(([code, name]) => html`<option value="${code}">${name}</option>`)}
          </select></label
        >
        <button>企业网银付款</button>
      </form>`,
  );

/** Takes the browser back to the merchant, with what UnionPay has to say. */
export const returnPage = (url: string, fields: Fields): string =>
  page(
    '返回商户',
    html`<form method="post" action="${url}">
      ${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
      <button>返回商户 Back to the merchant</button>
    </form>`,
  );
