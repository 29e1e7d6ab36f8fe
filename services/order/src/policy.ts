/** One version of a text that a buyer must accept 协议. `id@version` is how an order names it. */
export type Agreement = { readonly id: string; readonly version: string; readonly title: string; readonly titleEn: string };

export type OrderPolicy = {
  /** How long an order may stay unpaid, in milliseconds. */
  readonly payWithinMs: number;
  /** How long an order may wait for its approval, in milliseconds. */
  readonly approveWithinMs: number;
  /** How often a provider may change the price of one order. */
  readonly priceChangesMax: number;
  /** What a buyer must accept to order anything. */
  readonly agreements: readonly Agreement[];
};

/** The numbers and texts of the marketplace's rules about orders. */
export const orderPolicy: OrderPolicy = {
  payWithinMs: 24 * 3_600_000,
  approveWithinMs: 7 * 24 * 3_600_000,
  priceChangesMax: 20,
  agreements: [
    { id: 'marketplace-service', version: '2026-01', title: '云市服务协议', titleEn: 'Marketplace service agreement' },
    { id: 'third-party-goods', version: '2026-01', title: '第三方商品购买须知', titleEn: 'Notes on buying third-party goods' },
  ],
};

export const agreementName = ({ id, version }: Agreement): string => `${id}@${version}`;

export type AutoRenewalPolicy = {
  /** So many days before the expiry its buyer is told that an order will be placed. */
  readonly announceDays: number;
  /** So many days before the expiry the order is placed, unless it has been switched off by then. */
  readonly orderDays: number;
  /** How long after the expiry it is looked whether the instance went on, or is gone. */
  readonly lookAgainDays: number;
};

/** 自动续费: the buyer has a week to decide before the order, and a week to pay it. */
export const autoRenewalPolicy: AutoRenewalPolicy = { announceDays: 14, orderDays: 7, lookAgainDays: 8 };
