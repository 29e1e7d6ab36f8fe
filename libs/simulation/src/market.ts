import { saleHandlers } from '@yunshi/catalog/sale/sales';
import { recordSale } from '@yunshi/contracts/catalog';
import { reserveCoupon } from '@yunshi/contracts/coupon';
import { demoPersonas, demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { fulfilOrder } from '@yunshi/contracts/fulfillment';
import { collectPayment, pausePayment } from '@yunshi/contracts/payment';
import { claimHandlers } from '@yunshi/coupon/claim/handlers';
import { claim } from '@yunshi/coupon/claim/claim';
import type { Coupon } from '@yunshi/coupon/coupon/coupon';
import { lines } from '@yunshi/fulfillment/delivery/lines';
import { performers as providerPerformers } from '@yunshi/fulfillment/delivery/performers';
import { tencentSaas } from '@yunshi/fulfillment/delivery/tencent-saas';
import { instanceHandlers } from '@yunshi/fulfillment/instance/handlers';
import type { Instance } from '@yunshi/fulfillment/instance/instance';
import type { Product as DeliveredProduct } from '@yunshi/fulfillment/product/product';
import type { AccountId, ClaimId, SkuId } from '@yunshi/kernel/ids';
import { orderHandlers } from '@yunshi/order/order/handlers';
import { priceHandlers } from '@yunshi/order/order/price-handlers';
import type { Product } from '@yunshi/order/quote/quote';
import { purchaseSaga } from '@yunshi/order/sagas/purchase.saga';
import { repricingSaga } from '@yunshi/order/sagas/repricing.saga';
import { paymentHandlers, performers as channelPerformers } from '@yunshi/payment-gateway/payment/handlers';
import { takeNotice } from '@yunshi/payment-gateway/payment/notices';
import type { Payment } from '@yunshi/payment-gateway/payment/state';
import { paymentWrites } from '@yunshi/payment-gateway/payment/writes';
import type { Callback } from '@yunshi/payment-gateway/wechat/callback';
import { noticeOf, wechatChannel } from '@yunshi/payment-gateway/wechat/channel';
import { sharingPerformers } from '@yunshi/payment-gateway/sharing/calls';
import { wechatSharing } from '@yunshi/payment-gateway/wechat/sharing';
import { wechatPay } from '@yunshi/payment-gateway/wechat/wechat-pay';
import { request } from './outside/clients.ts';
import { idOf } from './time/names.ts';
import { Providers } from './outside/providers.ts';
import { us, Wechat } from './outside/wechat.ts';
import type { Process } from './process.ts';
import { Service, type MakeBehaviour } from './service.ts';
import { beginning, type World } from './world.ts';

export const serviceNames = ['catalog', 'coupon', 'order', 'payment', 'fulfillment'] as const;
export type ServiceName = (typeof serviceNames)[number];

const { providerId } = demoProviders.fanying;
const sku = (nth: number): SkuId => `sku_${String(nth).padStart(32, '0')}` as SkuId;

/** What can be bought: for a year or a day from a provider, by the call, and as a trial. */
export const goods = {
  yearly: { skuId: sku(1), quantity: 1, duration: 1 },
  daily: { skuId: sku(4), quantity: 1, duration: 1 },
  trial: { skuId: sku(2), quantity: 1 },
  calls: { skuId: sku(3), quantity: 1 },
} as const;
export type Good = keyof typeof goods;

const shared = { productVersion: 1, providerId, providerName: demoProviders.fanying.name, humanDelivery: false, published: true } as const;
const products: readonly Product[] = [
  {
    ...shared,
    productId: demoProducts.helpDesk.productId,
    name: '帆影智能客服',
    deliveryType: 'saas',
    skus: [
      { skuId: sku(1), name: '团队版', price: { model: 'per_period', price: 120_000, unit: 'year', durations: [1] }, onSale: true },
      { skuId: sku(4), name: '日租版', price: { model: 'per_period', price: 1_500, unit: 'day', durations: [1] }, onSale: true },
      { skuId: sku(2), name: '体验版', price: { model: 'one_off', price: 0, validDays: 7 }, trialOf: sku(1), onSale: true },
    ],
  },
  {
    ...shared,
    productId: demoProducts.crm.productId,
    name: '帆影语音',
    deliveryType: 'api',
    skus: [{ skuId: sku(3), name: '一万次', price: { model: 'per_package', price: 5_000, calls: 10_000, validDays: 365 }, onSale: true }],
  },
];
export const productOf = (skuId: SkuId): Product => products.find((product) => product.skus.some((one) => one.skuId === skuId))!;

export const buyers = [demoPersonas.lin, demoPersonas.zhao] as const;

const coupon: Coupon = {
  couponId: 'cpn_00000000000000000000000000000001' as Coupon['couponId'],
  number: 'C1',
  name: '满一千减二十',
  providerId,
  providerName: demoProviders.fanying.name,
  benefit: { type: 'amount', threshold: 100_000, off: 2_000 },
  scope: { type: 'shop' },
  scenes: ['new_purchase'],
  stock: 6,
  perBuyer: 2,
  claimFrom: new Date(beginning - 86_400_000),
  claimUntil: new Date(beginning + 86_400_000),
  validity: { type: 'after_claim', days: 30 },
  listed: true,
  status: 'issuing',
  claimed: 0,
  publishedAt: new Date(beginning - 86_400_000),
};

/** The marketplace: its services, as their apps put them together, between two buyers, WeChat Pay and a provider. */
export class Market {
  readonly world: World;
  readonly services: Record<ServiceName, Service>;
  readonly wechat: Wechat;
  readonly providers: Providers;
  readonly writes = paymentWrites;
  /** The coupon that buyers can claim more of. */
  readonly couponId = coupon.couponId;
  /** One claimed coupon for each buyer. */
  readonly claims: readonly ClaimId[];

  constructor(world: World) {
    this.world = world;
    this.wechat = new Wechat(world, (callback) => this.#takeCallback(callback));
    this.providers = new Providers(world);
    const add = (name: ServiceName, behave: MakeBehaviour, madeByLocking?: Service['database']['madeByLocking']): Service => {
      const service = new Service(world, { name, behave, ...(madeByLocking && { madeByLocking }) });
      world.services.set(name, service);
      return service;
    };
    this.services = {
      catalog: add('catalog', () => ({ handlers: saleHandlers, performers: [], sagas: [] })),
      coupon: add('coupon', () => ({ handlers: claimHandlers, performers: [], sagas: [] })),
      order: add(
        'order',
        () => ({ handlers: [...orderHandlers, ...priceHandlers], performers: [], sagas: [purchaseSaga, repricingSaga] }),
        new Map([['trials', (trialId: string) => ({ trialId, orderId: null })]]),
      ),
      payment: add('payment', (process) => this.#payment(process)),
      fulfillment: add('fulfillment', (process) => this.#fulfillment(process)),
    };
    this.claims = this.#seed();
    world.overtakable = new Set([
      reserveCoupon.subject,
      collectPayment.subject,
      pausePayment.subject,
      fulfilOrder.subject,
      recordSale.subject,
    ]);
  }

  open(): void {
    for (const service of Object.values(this.services)) service.start();
  }

  #payment(process: Process): ReturnType<MakeBehaviour> {
    const { wrapping } = this.world;
    const client = this.wechat.clientFor(process);
    const channel = wrapping.wechat?.(client) ?? client;
    const wechat = wechatPay({ client: channel, keyring: undefined as never, apiV3Keys: undefined as never });
    return {
      handlers: paymentHandlers({
        payeesOf: () => ({ wechat_native: '1900000101' }),
        newPaymentId: (at) => idOf('pay', at, this.world.dice),
      }),
      performers: [
        ...channelPerformers({ wechat_native: wechatChannel(wechat, us) }),
        ...sharingPerformers(us, wechatSharing({ client: channel })),
      ],
      sagas: [],
    };
  }

  #fulfillment(process: Process): ReturnType<MakeBehaviour> {
    const { dice, wrapping } = this.world;
    const door = this.providers.doorFor(process);
    const wallNow = (): Date => new Date(this.world.wallMs());
    const dialect = tencentSaas({
      door: wrapping.provider?.(door) ?? door,
      development: true,
      wallNow,
      randomInt: (min, maxExclusive) => dice.between(min, maxExclusive - 1),
      newRequestId: () => dice.hex8(),
    });
    const endpoint = {
      dialect: 'tencent-saas',
      url: 'https://provider.test/deliver',
      token: 'token',
      productNumber: 10_001,
      isPlayed: true,
    };
    return {
      handlers: instanceHandlers,
      performers: providerPerformers({
        product: (productId) => Promise.resolve(delivered.find((product) => product.productId === productId)),
        vault: { seal: (plain, boundTo) => `${boundTo} ${plain}` },
        endpoints: { of: () => Promise.resolve(endpoint) },
        dialects: [dialect],
        turn: {
          lines: lines(() => process.clock.now()),
          newestSeqOf: (id) => Promise.resolve(this.services.fulfillment.database.table<Instance>('instances').get(id)?.callSeq),
        },
        wallNow,
        randomHex: (bytes) => Array.from({ length: bytes / 4 }, dice.hex8).join(''),
      }),
      sagas: [],
    };
  }

  /** What the route of the callbacks does, once the signature is verified. */
  #takeCallback(callback: Callback): Promise<boolean> {
    const { payment } = this.services;
    const attempts = payment.database.table<Payment>('payments');
    const orderOfAttempt = (attemptId: string) =>
      Promise.resolve([...attempts.values()].find((one) => one.attempts.some((attempt) => attempt.attemptId === attemptId))?.orderId);
    return request(payment, (process) =>
      takeNotice(
        noticeOf(callback, us),
        { headers: {}, body: '' },
        { core: { write: process.engine!.write, clock: process.clock }, book: { orderOfAttempt }, writes: this.writes },
        (error) => this.world.faults.push(`callback: ${String(error)}`),
      ),
    ).then(
      () => true,
      () => false,
    );
  }

  #seed(): ClaimId[] {
    const { catalog, coupon: coupons } = this.services;
    for (const { productId } of products) catalog.database.table('sale_counts').set(productId, { productId, completed: 0 });
    let offer = coupon;
    const claims = buyers.map(({ accountId, userId }, nth) => {
      const claimId = `ccl_${String(nth + 1).padStart(32, '0')}` as ClaimId;
      const claimed = claim(offer, 0, { claimId, accountId, userId, now: new Date(beginning) });
      if (!claimed.ok) throw new Error(`the demo coupon cannot be claimed: ${claimed.error}`);
      offer = claimed.value.coupon;
      coupons.database.table('claims').set(claimId, claimed.value.claim);
      coupons.database.table('tallies').set(tallyOf(accountId), { tallyId: tallyOf(accountId), claimed: 1 });
      return claimId;
    });
    coupons.database.table('coupons').set(offer.couponId, offer);
    return claims;
  }
}

const tallyOf = (accountId: AccountId): string => `${coupon.couponId} ${accountId}`;

const delivered: readonly DeliveredProduct[] = products;
