import { demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { newId } from '@yunshi/kernel/ids';
import { yuan } from '@yunshi/kernel/money';
import QRCode from 'qrcode';
import { clerkAt } from './bank.ts';
import { client, waitFor, type Client } from './client.ts';
import type { Voice } from './voice.ts';

type Coupon = { claim_id: string; name: string; deduction: number; selected: boolean };
type Quote = {
  total: number;
  deduction: number;
  payable: number;
  coupon: string | null;
  coupons: { usable: Coupon[]; unusable: { name: string; reason: string }[] };
  agreements: { name: string }[];
};
type Order = {
  order_id: string;
  order_number: string;
  status: string;
  payable: number;
  refunded: number;
  end_reason: string | null;
  instance_id: string | null;
};
type Attempt = {
  attempt_id: string;
  status: string;
  code_url: string | null;
  pay_page_url?: string;
  redirect_url?: string | null;
  waits_for?: { who: string; until: string } | null;
};
type Payment = { payment_id: string; status: string; attempts: Attempt[] };
type Instance = {
  instance_id: string;
  status: string;
  app: { website?: string; auth_url?: string; fields: { name: string; value: string }[] } | null;
};
type Problem = { code: string; detail?: string; title: string };

/** What the chapters share. */
export type Stage = {
  readonly voice: Voice;
  readonly api: Client;
  readonly outside: Client;
  /** Where the banks' pages are. */
  readonly bank: string;
  readonly agreements: readonly string[];
};

/** A new key for each request that is meant as a new one; its time makes it readable in the output. */
const freshKey = (): string => newId('ord', new Date()).replace('ord_', 'story-').slice(0, 30);

const orderOf = async ({ api }: Stage, id: string): Promise<Order> =>
  (await api.quietly<Order>('GET', `/v1/orders/${id}`, { as: 'lin' })).body;
const orderIs = (stage: Stage, id: string, status: string, withinMs?: number): Promise<Order> =>
  waitFor(
    `order ${id} is ${status}`,
    () => orderOf(stage, id),
    (order) => order.status === status,
    withinMs,
  );

async function placeOrder({ api, voice, agreements }: Stage, wish: object): Promise<Order> {
  const asked = { key: freshKey(), as: 'lin', body: { ...wish, accepted_agreements: agreements } };
  const placed = await api.show<Order>('POST', '/v1/orders', asked);
  voice.check(`order ${placed.body.order_number} is placed, ${yuan(placed.body.payable)} to pay`, placed.status === 201, placed.body);
  return placed.body;
}

async function openPayment(
  { api, voice }: Stage,
  order: Order,
): Promise<{ payment_id: string; code_url: string; pay_page_url: string | undefined }> {
  const asked = { key: freshKey(), as: 'lin', body: { order_id: order.order_id, channel: 'wechat_native' } };
  const opened = await api.show<Payment>('POST', '/v1/payments', asked);
  const codeUrl = opened.body.attempts?.[0]?.code_url;
  voice.check(`WeChat Pay answers with a code to scan: ${codeUrl}`, opened.status === 201 && typeof codeUrl === 'string', opened.body);
  return { payment_id: opened.body.payment_id, code_url: codeUrl!, pay_page_url: opened.body.attempts[0]!.pay_page_url };
}

/** The payer's phone: the sandbox plays it. */
const scan = ({ outside }: Stage, payment: { code_url: string }) =>
  outside.show<{ trade_state: string }>('POST', '/sandbox/wechat/scan', { body: { code_url: payment.code_url } });

async function advance({ api, voice }: Stage, by: string): Promise<void> {
  const moved = await api.show<object>('POST', '/v1/test/clock', { as: 'operator', body: { advance: by } });
  voice.check(`business time has moved ${by} for all services at once`, moved.status === 200, moved.body);
}

const claimStatus = async ({ api }: Stage, claimId: string): Promise<string> =>
  (await api.quietly<{ status: string }>('GET', `/v1/my/coupons/${claimId}`, { as: 'lin' })).body.status;

const script = ({ outside }: Stage, behaviour: string, times: number, show = true) =>
  outside[show ? 'show' : 'quietly']('POST', `/sandbox/provider/${demoProviders.fanying.providerId}/script`, {
    body: { action: 'createInstance', behaviour, times },
  });

/** Browses, takes a quote, and answers the wish that the order will be placed with. */
async function browse(stage: Stage): Promise<object> {
  const { voice, api } = stage;
  voice.chapter('A buyer finds a product and asks what it costs');
  const found = await api.show<{ items: { product_id: string; name: string }[] }>(
    'GET',
    `/v1/products?q=${encodeURIComponent('智能客服')}`,
  );
  voice.check(
    `${demoProducts.helpDesk.name} is found by its Chinese name`,
    found.body.items.some((item) => item.product_id === demoProducts.helpDesk.productId),
    found.body,
  );
  const wish = { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 };
  const quote = await api.show<Quote>('POST', '/v1/quotes', { as: 'lin', body: wish });
  const { total, deduction, payable, coupons } = quote.body;
  voice.tell(`商品总计 ${yuan(total)} − 优惠券抵扣 ${yuan(deduction)} = 实付金额 ${yuan(payable)}`);
  for (const coupon of coupons.usable) voice.tell(`  ${coupon.selected ? '●' : '○'} ${coupon.name}  −${yuan(coupon.deduction)}`);
  for (const coupon of coupons.unusable) voice.tell(`  × ${coupon.name}  (${coupon.reason})`);
  const best = Math.max(...coupons.usable.map((coupon) => coupon.deduction));
  voice.check(
    'the coupon that saves most is selected, and the sum is right',
    deduction === best && total - deduction === payable,
    quote.body,
  );
  const without = await api.quietly<Quote>('POST', '/v1/quotes', { as: 'lin', body: { ...wish, coupon: 'none' } });
  voice.check('without a coupon the whole price is to be paid', without.body.payable === total, without.body);
  return wish;
}

/** The main story: order, pay, delivered. */
async function purchase(stage: Stage, wish: object): Promise<void> {
  const { voice, api } = stage;
  const before = await api.quietly<{ sales_count: number }>('GET', `/v1/products/${demoProducts.helpDesk.productId}`);
  voice.chapter('The order, and the same request again');
  const key = freshKey();
  const asked = { key, as: 'lin', body: { ...wish, accepted_agreements: stage.agreements } };
  const placed = await api.show<Order>('POST', '/v1/orders', asked);
  voice.check(`order ${placed.body.order_number} is placed, ${yuan(placed.body.payable)} to pay`, placed.status === 201, placed.body);
  const again = await api.quietly<Order>('POST', '/v1/orders', asked);
  voice.check('the same Idempotency-Key gets the same order, not a second one', again.body.order_id === placed.body.order_id, again.body);
  const other = await api.quietly<Problem>('POST', '/v1/orders', { ...asked, body: { ...asked.body, duration: 6 } });
  voice.check(`another body under that key is refused: ${other.body.code}`, other.status === 422, other.body);

  voice.chapter('Payment by WeChat: the code is scanned, WeChat calls back, signed and encrypted');
  const payment = await openPayment(stage, placed.body);
  voice.tell(`the payer's page: ${payment.pay_page_url ?? '(none outside the sandbox)'}`);
  for (const line of (await QRCode.toString(payment.code_url, { type: 'utf8' })).split('\n')) voice.tell(line);
  const scanned = await scan(stage, payment);
  voice.check('the payer has paid', scanned.body.trade_state === 'SUCCESS', scanned.body);

  voice.chapter('The saga delivers: the provider is called with the signed createInstance');
  const order = await orderIs(stage, placed.body.order_id, 'completed');
  voice.check('the order is 交易成功', order.status === 'completed');
  const instance = (await api.show<Instance>('GET', `/v1/instances/${order.instance_id}`, { as: 'lin' })).body;
  voice.check('the instance is 已发货', instance.status === 'shipped', instance);
  voice.tell(`website ${instance.app?.website}`);
  voice.tell(`single sign-on ${instance.app?.auth_url}`);
  for (const field of instance.app?.fields ?? []) voice.tell(`${field.name}: ${field.value}`);
  voice.check(
    'account, website and single-sign-on address are there',
    Boolean(instance.app?.website && instance.app.auth_url && instance.app.fields.length),
    instance,
  );
  const notMine = await api.quietly<Problem>('GET', `/v1/instances/${order.instance_id}`, { as: 'zhao' });
  voice.check('to another account it does not exist', notMine.status === 404, notMine.body);
  const sales = (seen: { body: { sales_count: number } }) => seen.body.sales_count === before.body.sales_count + 1;
  await waitFor(
    'one more sale is counted',
    () => api.quietly<{ sales_count: number }>('GET', `/v1/products/${demoProducts.helpDesk.productId}`),
    sales,
  );
  voice.check(`the product's sales count is ${before.body.sales_count + 1}, one more than before`, true);
}

async function notPaid(stage: Stage, wish: object): Promise<void> {
  const { voice, api } = stage;
  voice.chapter('A coupon in use is refused; an order that nobody pays is closed, and gives it back');
  const quote = await api.quietly<Quote>('POST', '/v1/quotes', { as: 'lin', body: wish });
  const coupon = quote.body.coupons.usable.at(-1);
  voice.check('the buyer has a coupon left (`npm run reset` gives new ones)', coupon !== undefined, quote.body.coupons);
  const held = { ...wish, coupon: coupon!.claim_id };
  const order = await placeOrder(stage, held);
  const is = (status: string) =>
    waitFor(
      `the coupon is ${status}`,
      () => claimStatus(stage, coupon!.claim_id),
      (seen) => seen === status,
    );
  await is('reserved');
  const again = { key: freshKey(), as: 'lin', body: { ...held, accepted_agreements: stage.agreements } };
  const refused = await api.show<Problem>('POST', '/v1/orders', again);
  voice.check(
    `a second order with «${coupon!.name}» is refused: ${refused.body.code}`,
    refused.status >= 400 && refused.status < 500,
    refused.body,
  );
  await openPayment(stage, order);
  await advance(stage, 'PT24H1M');
  const closed = await orderIs(stage, order.order_id, 'closed');
  voice.check(
    `the payment window is over: 已关闭 (${closed.end_reason}), closed at WeChat too`,
    closed.end_reason === 'payment-timeout',
    closed,
  );
  await is('usable');
  voice.check('the coupon is usable again', true);
}

/** Leftovers of an earlier telling that was broken off would hold coupons. */
async function clearTheStage({ api, outside }: Stage): Promise<void> {
  await outside.quietly('DELETE', '/sandbox/wechat/next');
  await outside.quietly('POST', `/sandbox/provider/${demoProviders.fanying.providerId}/script/clear`, { body: {} });
  const open = () => api.quietly<{ items: Order[] }>('GET', '/v1/orders?status=pending_payment&limit=100', { as: 'lin' });
  for (const order of (await open()).body.items) await api.quietly('POST', `/v1/orders/${order.order_id}/cancel`, { as: 'lin' });
  await waitFor('orders of an earlier telling are cancelled', open, (seen) => seen.body.items.length === 0);
}

const plain = { coupon: 'none' } as const;

/** Two persons of the buying company, at the bank's own pages. */
async function companyPays(stage: Stage): Promise<void> {
  const { voice, api, bank } = stage;
  voice.chapter('A company pays by 商企付: one person hands the voucher in, another one approves it the next day');
  const order = await placeOrder(stage, { sku_id: demoProducts.knowledgeBase.skus.monthly, duration: 1, ...plain });
  const asked = { key: freshKey(), as: 'lin', body: { order_id: order.order_id, channel: 'corporate_bank', bank: 'ICBC' } };
  const opened = (await api.show<Payment>('POST', '/v1/payments', asked)).body;
  const page = opened.attempts.at(-1)?.redirect_url;
  voice.check(`the buyer goes to the bank: ${page}`, typeof page === 'string', opened);
  const maker = await clerkAt(bank, 'zhidan', voice);
  const number = await maker.handIn(page!, 'fuhe1');
  const waits = await waitFor(
    'the payment waits for the checker',
    async () => (await api.quietly<Payment>('POST', `/v1/payments/${opened.payment_id}/query`, { as: 'lin' })).body.attempts.at(-1),
    (seen) => seen?.status === 'approving',
  );
  voice.check(`the buyer sees whom it waits for (${waits?.waits_for?.who}), and until when`, waits?.waits_for?.who === 'checker', waits);
  const elsewhere = { key: freshKey(), as: 'lin', body: { order_id: order.order_id, channel: 'wechat_native' } };
  const refused = await api.show<Problem>('POST', '/v1/payments', elsewhere);
  voice.check(`the bank holds it, so no other way to pay is open: ${refused.body.code}`, refused.status === 409, refused.body);
  await advance(stage, 'P1DT1H');
  await (await clerkAt(bank, 'fuhe1', voice)).approve(number);
  const done = await orderIs(stage, order.order_id, 'completed');
  voice.check('paid by the bank, delivered, 交易成功', done.instance_id !== null, done);
}

async function slowProvider(stage: Stage): Promise<void> {
  const { voice } = stage;
  voice.chapter('A provider that answers signId "0" (later) for a while, then delivers');
  await script(stage, 'pending', 2);
  const order = await placeOrder(stage, { sku_id: demoProducts.knowledgeBase.skus.monthly, duration: 1, ...plain });
  await scan(stage, await openPayment(stage, order));
  await orderIs(stage, order.order_id, 'processing');
  voice.check('paid, and 处理中 while the provider builds', true);
  for (let tries = 0; tries < 12 && (await orderOf(stage, order.order_id)).status !== 'completed'; tries++) {
    await stage.api.quietly('POST', '/v1/test/clock', { as: 'operator', body: { advance: 'PT10M' } });
    await waitFor(
      'the provider was asked again',
      () => orderOf(stage, order.order_id),
      () => true,
    );
  }
  const done = await orderIs(stage, order.order_id, 'completed');
  voice.check('asked again with a fresh signature each time, it delivered', done.instance_id !== null, done);
}

async function failingProvider(stage: Stage): Promise<void> {
  const { voice } = stage;
  voice.chapter('A provider that never delivers: the whole amount goes back by the way it came');
  await script(stage, 'status-500', 1_000);
  const order = await placeOrder(stage, { sku_id: demoProducts.contracts.skus.standard, duration: 1, ...plain });
  await scan(stage, await openPayment(stage, order));
  await orderIs(stage, order.order_id, 'processing');
  const until = performance.now() + 60_000;
  while ((await orderOf(stage, order.order_id)).status === 'processing' && performance.now() < until) {
    await stage.api.quietly('POST', '/v1/test/clock', { as: 'operator', body: { advance: 'PT20M' } });
  }
  const failed = await orderIs(stage, order.order_id, 'failed');
  voice.check(`order failed after hours of faults, ${yuan(failed.refunded)} refunded`, failed.refunded === order.payable, failed);
  await stage.outside.quietly('POST', `/sandbox/provider/${demoProviders.fanying.providerId}/script/clear`, { body: {} });
}

async function paidTooLate(stage: Stage): Promise<void> {
  const { voice } = stage;
  voice.chapter('Money that comes when the order is already closing is refunded by itself');
  const order = await placeOrder(stage, { sku_id: demoProducts.helpDesk.skus.basic, duration: 1, ...plain });
  const payment = await openPayment(stage, order);
  voice.tell(`the payer pays ${payment.payment_id} in the very moment in which the order is closed`);
  await stage.outside.show('POST', '/sandbox/wechat/next', { body: { what: 'paid-before-close', times: 1 } });
  await advance(stage, 'PT24H1M');
  const closed = await orderIs(stage, order.order_id, 'closed', 60_000);
  voice.check(`the order stays closed, and ${yuan(closed.refunded)} went back`, closed.refunded === order.payable, closed);
}

/** Tells the whole story against a running system. Throws at the first thing that is not as told. */
export async function tellStory({ gateway, sandbox }: { readonly gateway: string; readonly sandbox: string }, voice: Voice): Promise<void> {
  const tokens = new Map<string, string>();
  const api = client(gateway, tokens, voice);
  const outside = client(sandbox, tokens, voice);
  voice.chapter('A token for each who takes part (the development issuer; in production, your own OIDC issuer)');
  for (const persona of ['lin', 'zhao', 'operator']) {
    const answer = await api[persona === 'lin' ? 'show' : 'quietly']<{ access_token: string }>('POST', '/v1/dev/token', {
      body: { persona },
    });
    voice.check(`${persona} has a token`, answer.status === 200 && answer.body.access_token.split('.').length === 3, answer.body);
    tokens.set(persona, answer.body.access_token);
  }
  const quote = await api.quietly<Quote>('POST', '/v1/quotes', {
    as: 'lin',
    body: { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 },
  });
  const stage: Stage = { voice, api, outside, bank: sandbox, agreements: quote.body.agreements.map((agreement) => agreement.name) };
  await clearTheStage(stage);
  const wish = await browse(stage);
  await purchase(stage, wish);
  await notPaid(stage, wish);
  await companyPays(stage);
  await slowProvider(stage);
  await failingProvider(stage);
  await paidTooLate(stage);
  await afterwards(stage);
}

async function afterwards({ api, voice }: Stage): Promise<void> {
  voice.chapter('And in the end');
  const listed = await api.show<{ items: Order[] }>('GET', '/v1/orders?limit=20', { as: 'lin' });
  const open = listed.body.items.filter((order) => ['processing'].includes(order.status));
  voice.check('no order of this buyer is left in between', open.length === 0, open);
}
