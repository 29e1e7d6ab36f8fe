import { z } from 'zod';
import { OrderEnd, PriceKept } from '@yunshi/contracts/order';
import { Channel } from '@yunshi/contracts/payment';
import { BankCode } from '@yunshi/kernel/banks';
import { AccountId, ClaimId, InstanceId, OrderId, PaymentId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';
import { DeliveryType, Flow, OrderKind, PeriodUnit } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { ShownServerSale, shownServerSale } from '../quote/server-wire.ts';
import { wishBody } from '../quote/wire.ts';
import { awaitedOf, orderFlow, priceChangeFlow, type Entry, type Order, type PriceChangeStatus } from './order.ts';
import { sentences } from './sentences.ts';

const Time = z.iso.datetime({ offset: true });
export const Status = z.enum(orderFlow.states as [keyof typeof orderFlow.table, ...(keyof typeof orderFlow.table)[]]);

export const OrderRequest = wishBody({
  accepted_agreements: z
    .array(z.string().min(1).max(64))
    .max(20)
    .meta({ description: 'Names of the agreements that the buyer accepts, as the quote lists them' }),
  po_number: z.string().trim().min(1).max(64).optional().meta({ description: 'The number that the buyer keeps the order under 采购单号' }),
  expected_payable: Fen.optional().meta({ description: 'The payable amount that the buyer saw; if it has changed, the order is refused' }),
});

export const OrderDecision = z.strictObject({
  note: z.string().trim().min(1).max(500).optional().meta({ description: 'For the one who placed it' }),
});

export const PriceRequest = z.strictObject({
  total: Fen.meta({
    description: 'What the goods are to cost before coupons 商品总计: from 0, or the price of the server under an image, to the original',
  }),
  note: z.string().trim().min(1).max(200).optional().meta({ description: 'For the buyer' }),
});

export const Awaits = z
  .object({ what: z.enum(['approval', 'payment', 'price-change', 'bank-approval', 'delivery', 'cancellation']), until: Time.nullable() })
  .meta({ description: 'What the order waits for, and until when, if that is known' });

const ShownPriceChange = z.object({
  status: z.enum(priceChangeFlow.states as unknown as readonly [PriceChangeStatus, ...PriceChangeStatus[]]).meta({
    description:
      'asked: nobody can pay until it is known whether the price changes; settled: the new one can be paid; kept: it stays as it was',
  }),
  total: Fen,
  deduction: Fen,
  payable: Fen,
  note: z.string().nullable(),
  asked_at: Time,
  kept_because: PriceKept.nullable(),
});

export const ShownOrder = z
  .object({
    order_id: OrderId,
    order_number: z.string().meta({ example: '202603024320000012345678' }),
    account_id: AccountId,
    user_id: UserId,
    kind: OrderKind,
    status: Status,
    version: z.int().min(1),
    product: z.object({ product_id: ProductId, name: z.string(), delivery_type: DeliveryType }),
    sku: z.object({ sku_id: SkuId, name: z.string(), is_trial: z.boolean() }),
    provider: z.object({ provider_id: ProviderId, name: z.string() }),
    for_instance_id: InstanceId.nullable().meta({ description: 'The instance that a renewal or conversion is for' }),
    quantity: z.int(),
    period: z.object({ count: z.int(), unit: PeriodUnit }).nullable(),
    flow: Flow.nullable().meta({ description: 'Of a metered SKU 计量类: what each piece holds' }),
    unit_price: Fen,
    server: ShownServerSale,
    total: Fen,
    coupon: z.object({ claim_id: ClaimId, name: z.string() }).nullable(),
    deduction: Fen,
    payable: Fen,
    original_total: Fen.meta({ description: 'The total when it was placed; its provider may have lowered it since 改价' }),
    price_change: ShownPriceChange.nullable().meta({ description: 'The last one' }),
    po_number: z.string().nullable(),
    approval: z
      .object({ approve_by: Time, decided_by: UserId.nullable(), decided_at: Time.nullable(), note: z.string().nullable() })
      .nullable()
      .meta({ description: "Only where the buyer's organisation wanted one" }),
    agreements: z.array(z.string()),
    placed_at: Time,
    pay_by: Time,
    cancel_requested_at: Time.nullable(),
    payment: z.object({ payment_id: PaymentId, channel: Channel, paid_at: Time }).nullable(),
    instance_id: InstanceId.nullable(),
    ended_at: Time.nullable(),
    end_reason: OrderEnd.nullable(),
    refunded: Fen,
    deleted_at: Time.nullable().meta({ description: 'Since when its buyer does not see it any more' }),
    awaits: Awaits.nullable(),
  })
  .meta({ id: 'Order' });
export type ShownOrder = z.infer<typeof ShownOrder>;

const time = (at: Date | null): string | null => at?.toISOString() ?? null;

export function shownOrder(order: Order): ShownOrder {
  const { line, claimId, couponName, paymentId, channel, paidAt } = order;
  return {
    order_id: order.orderId,
    order_number: order.orderNumber,
    account_id: order.accountId,
    user_id: order.userId,
    kind: order.kind,
    status: order.status,
    version: order.version,
    product: { product_id: order.productId, name: order.productName, delivery_type: order.deliveryType },
    sku: { sku_id: order.skuId, name: order.skuName, is_trial: order.isTrial },
    provider: { provider_id: order.providerId, name: order.providerName },
    for_instance_id: order.forInstanceId,
    quantity: line.quantity,
    period: line.period ?? null,
    flow: line.flow ?? null,
    unit_price: line.unitPrice,
    server: shownServerSale(order.server),
    total: order.total,
    coupon: claimId === null ? null : { claim_id: claimId, name: couponName ?? '' },
    deduction: order.deduction,
    payable: order.payable,
    original_total: order.firstTotal,
    price_change: priceChangeOf(order),
    po_number: order.poNumber,
    approval: approvalOf(order),
    agreements: [...order.agreements],
    placed_at: order.placedAt.toISOString(),
    pay_by: order.payBy.toISOString(),
    cancel_requested_at: time(order.cancelRequestedAt),
    payment: paymentId && channel && paidAt ? { payment_id: paymentId, channel, paid_at: paidAt.toISOString() } : null,
    instance_id: order.instanceId,
    ended_at: time(order.endedAt),
    end_reason: order.endReason,
    refunded: order.refunded,
    deleted_at: time(order.deletedAt),
    awaits: awaitedOf(order),
  };
}

function approvalOf({ approveBy, decidedBy, decidedAt, decisionNote }: Order): ShownOrder['approval'] {
  return approveBy && { approve_by: approveBy.toISOString(), decided_by: decidedBy, decided_at: time(decidedAt), note: decisionNote };
}

const priceChangeOf = ({ priceChange: change }: Order): ShownOrder['price_change'] =>
  change && {
    status: change.status,
    total: change.total,
    deduction: change.deduction,
    payable: change.payable,
    note: change.note,
    asked_at: change.askedAt,
    kept_because: change.keptBecause,
  };

export const ShownEntry = z
  .object({
    order_id: OrderId,
    version: z.int().min(1),
    at: Time,
    what: z.enum([
      'placed',
      'approved',
      'bank-started',
      'bank-approving',
      'bank-ended',
      'paid',
      'payment-revoked',
      'payment-restored',
      'revocation-ended',
      'refunded',
      'price-change-asked',
      'price-changed',
      'price-kept',
      'cancel-requested',
      'completed',
      'cancelled',
      'closed',
      'failed',
    ]),
    status: Status,
    reason: OrderEnd.nullable(),
    amount: Fen.nullable(),
    bank: BankCode.nullable().meta({ description: 'The bank that a company pays by' }),
    awaits: Awaits.nullable(),
    message: z.string().meta({ description: 'What happened, in Chinese' }),
    message_en: z.string(),
  })
  .meta({ id: 'OrderEntry' });

export function shownEntry(entry: Entry): z.infer<typeof ShownEntry> {
  const { orderId, version, at, what, status, reason, amount, bank, awaits } = entry;
  const { zh, en } = sentences(entry);
  return { order_id: orderId, version, at: at.toISOString(), what, status, reason, amount, bank, awaits, message: zh, message_en: en };
}
