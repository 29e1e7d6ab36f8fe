/** The banks' pages, as one plain bank would show them. */
import { bankNames, isBank } from '@yunshi/kernel/banks';
import { chinaTime } from '@yunshi/kernel/calendar';
import { yuan } from '@yunshi/kernel/money';
import { Html, html } from '../html.ts';
import { customerOf, SANDBOX_PASSWORD } from './customers.ts';
import type { BankPayment } from './tables.ts';

const style = new Html(`
  :root { color-scheme: light dark; --ink: #1a1a1a; --soft: #6b7280; --line: #e5e7eb; --card: #fff; --ground: #eef1f5; --blue: #1d4f91 }
  @media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #9aa3af; --line: #333; --card: #1d2127; --ground: #0f1216; --blue: #7db0f0 } }
  * { box-sizing: border-box }
  body { margin: 0; min-height: 100vh; background: var(--ground); color: var(--ink); font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; display: grid; place-items: center; padding: 24px 16px }
  main { width: 100%; max-width: 40rem; background: var(--card); border-top: 4px solid var(--blue); padding: 28px 24px }
  h1 { font-size: 1.1rem; margin: 0 0 20px; display: flex; justify-content: space-between; color: var(--blue) } h1 small { font-weight: 400; color: var(--soft) }
  dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 16px; margin: 16px 0; padding: 16px 0; border-block: 1px solid var(--line) }
  dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
  label { display: block; margin: 10px 0 } input, select { width: 100%; padding: 10px; font: inherit; border: 1px solid var(--line); background: transparent; color: inherit }
  button { padding: 10px 24px; border: 0; font: inherit; font-weight: 600; color: #fff; background: #1d4f91; cursor: pointer } button.no { background: #8a8f98 }
  button:focus-visible, input:focus-visible, select:focus-visible, a:focus-visible { outline: 3px solid #f0a020; outline-offset: 2px }
  .bad { color: #c62828 } a { color: inherit } footer { margin-top: 20px; font-size: .8rem; color: var(--soft) }
`);

const page = (title: string, body: Html): string =>
  html`<!doctype html>
    <html lang="zh-CN">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${title}</title>
      <style>
        ${style}
      </style>
      <main>
        <h1><span>企业网银</span><small>沙箱 Sandbox</small></h1>
        ${body}
        <footer>这里没有真钱。 No real money moves here.</footer>
      </main>
    </html>`.text;

const clockTime = (at: Date | null): string => (at ? chinaTime(at).slice(0, 19).replace('T', ' ') : '');
const bankName = ({ bank }: BankPayment): string => (isBank(bank) ? bankNames[bank] : bank);

export const loginPage = (next: string, wrong = ''): string =>
  page(
    '登录企业网银',
    html`${wrong === '' ? '' : html`<p class="bad">${wrong}</p>`}
      <form method="post" action="/bank/login">
        <input type="hidden" name="next" value="${next}" />
        <label>客户识别号 Customer number<input name="customer_no" value="8800000001" /></label>
        <label>用户 User<input name="user" placeholder="zhidan · fuhe1 · fuhe2" /></label>
        <label>密码 Password<input name="password" type="password" placeholder="${SANDBOX_PASSWORD}" /></label>
        <button>登录</button>
      </form>`,
  );

const facts = (payment: BankPayment): Html => html`
  <dl>
    <dt>付款银行</dt>
    <dd>${bankName(payment)}</dd>
    <dt>收款方</dt>
    <dd>${payment.entName}（${payment.entId}）</dd>
    <dt>金额</dt>
    <dd>${yuan(payment.amount)}</dd>
    <dt>订单</dt>
    <dd>${payment.memo} ${payment.outPaymentId}</dd>
    ${
      payment.voucherNo === null
        ? ''
        : html`<dt>凭证号</dt>
            <dd>${payment.voucherNo}（制单员 ${payment.maker ?? ''}，复核员 ${payment.checker ?? ''}）</dd>`
    }
    <dt>${payment.approveUntil ? '复核截止' : '支付截止'}</dt>
    <dd>${clockTime(payment.approveUntil ?? payment.expiresAt)}</dd>
  </dl>
`;

const statuses = {
  PROCESSING: '待制单',
  BANK_ACCEPTED: '待复核',
  SUCCEEDED: '已付款',
  CLEARING: '清算中',
  REVOKED: '已退票',
  CLOSED: '已关闭',
} as const;

/** What the maker sees: the order and its payee, to be checked, and the choice of a checker. */
export function voucherPage(payment: BankPayment, { customerNo, user }: { readonly customerNo: string; readonly user: string }): string {
  const checkers = customerOf(customerNo)?.clerks.filter((clerk) => clerk.checks && clerk.user !== user) ?? [];
  const form =
    payment.status === 'PROCESSING'
      ? html`<form method="post">
          <label
            >提交给复核员 Checker<select name="checker">
              ${checkers.map((clerk) => html`<option value="${clerk.user}">${clerk.title} ${clerk.user}</option>`)}
            </select></label
          >
          <button>核对无误，提交复核</button>
        </form>`
      : html`<p>${statuses[payment.status]}</p>`;
  return page(
    '制单',
    html`<p>客户 ${customerOf(customerNo)?.name ?? ''}，用户 ${user}</p>
      ${facts(payment)}${form}`,
  );
}

/** What the checker sees. */
export const vouchersPage = (payments: readonly BankPayment[], { user }: { readonly user: string }): string =>
  page(
    '待复核凭证',
    html`<p>用户 ${user}</p>
      ${payments.length === 0 ? html`<p>没有待复核的凭证。</p>` : ''}
      ${payments.map((payment) =>
        payment.status === 'BANK_ACCEPTED'
          ? html`${facts(payment)}
              <form method="post" action="/bank/vouchers/${payment.voucherNo ?? ''}">
                <button name="decision" value="approve">复核通过</button> <button class="no" name="decision" value="reject">拒绝</button>
              </form>`
          : html`${facts(payment)}
              <p>${statuses[payment.status]}</p>`,
      )}`,
  );

export const messagePage = (title: string, text: string, returnUrl: string | null = null): string =>
  page(
    title,
    html`<h2>${title}</h2>
      <p>${text}</p>
      ${returnUrl === null ? '' : html`<p><a href="${returnUrl}">返回商户 Back to the marketplace</a></p>`}`,
  );
