import { z } from 'zod';
import { AccountId, InstanceId, OrderId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';
import { DeliveryType, Line, OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { ServerConfiguration } from '@yunshi/kernel/server';
import { command, event, query } from './define.ts';

const Time = z.iso.datetime({ offset: true });

/** Delivers what was paid: makes the instance and asks its provider. Answered when it is delivered, or when it never will be. */
export const fulfilOrder = command('fulfillment.fulfil', 1, {
  data: z.object({
    orderId: OrderId,
    orderNumber: z.string(),
    accountId: AccountId,
    userId: UserId,
    kind: OrderKind,
    productName: z.string(),
    skuName: z.string(),
    isTrial: z.boolean(),
    /** People deliver it 人工交付, whatever its delivery type is. */
    humanDelivery: z.boolean().default(false),
    line: Line,
    /** Of an image: the cloud server to make of it. */
    server: ServerConfiguration.optional(),
  }),
  replies: {
    fulfilled: z.object({ instanceId: InstanceId }),
    /** Nothing was delivered and nothing will be: the buyer gets the money back. */
    refused: z.object({
      reason: z.enum(['provider-failed', 'provider-never-delivered', 'not-deliverable', 'delivery-closed', 'server-not-made']),
    }),
  },
});

/** Prolongs a delivered instance, or makes its trial formal 转正式版, as was paid. Answered when its provider has agreed, or when it never will. */
export const renewInstance = command('fulfillment.renew', 1, {
  data: z.object({
    instanceId: InstanceId,
    orderId: OrderId,
    accountId: AccountId,
    kind: z.enum(['renewal', 'trial_conversion']),
    skuName: z.string(),
    line: Line,
  }),
  replies: {
    renewed: z.object({ instanceId: InstanceId }),
    /** Nothing has changed: the buyer gets the money back. */
    refused: z.object({ reason: z.enum(['not-renewable', 'provider-refused', 'provider-failed']) }),
  },
});

/** What of a server's configuration cannot be had, as the buyer's request names it. */
export const ServerField = z.enum([
  'region',
  'zone',
  'machine_type',
  'image_id',
  'system_disk',
  'data_disks',
  'bandwidth/billing',
  'bandwidth/mbps',
  'security_group_id',
  'duration',
]);

/**
 * What a cloud server costs for so many months, as the cloud says now: one that is to be made under an image, or one more period of one
 * that is there. The price of both is the marketplace's, none of it the provider's.
 */
export const priceServer = query('fulfillment.price-server', 1, {
  data: z.object({
    months: z.int().min(1).max(120),
    of: z.discriminatedUnion('what', [
      z.object({ what: z.literal('new'), productId: ProductId, server: ServerConfiguration }),
      z.object({ what: z.literal('renewal'), instanceId: InstanceId, accountId: AccountId }),
    ]),
  }),
  answer: z.discriminatedUnion('result', [
    z.object({ result: z.literal('priced'), machine: Fen, bandwidth: Fen }),
    z.object({
      result: z.literal('refused'),
      field: ServerField,
      reason: z.enum(['not-offered', 'sold-out', 'paid-after-use']),
      offered: z.array(z.string()).max(200),
    }),
    /** There is no cloud behind this marketplace, or none of its servers behind the instance. */
    z.object({ result: z.literal('not-offered') }),
  ]),
});

/** 发货中, 已发货, 已过期, 已关闭; failed: not delivered, and refunded. */
export const InstanceStatus = z.enum(['shipping', 'shipped', 'expired', 'closed', 'failed']);
export type InstanceStatus = z.infer<typeof InstanceStatus>;

const about = { instanceId: InstanceId, instanceVersion: z.int().min(1), orderId: OrderId, accountId: AccountId };

/** An instance 资源实例 is 已发货. */
export const instanceShipped = event('fulfillment.instance-shipped', 1, {
  data: z.object({ ...about, shippedAt: Time, expiresAt: Time.optional() }),
});

/** It goes on for longer, or is no trial any more; `orderId` is the order that made it. */
export const instanceRenewed = event('fulfillment.instance-renewed', 1, {
  data: z.object({
    ...about,
    renewedBy: OrderId,
    kind: z.enum(['renewal', 'trial_conversion']),
    skuId: SkuId,
    quantity: z.int().min(1),
    expiresAt: Time,
  }),
});

/** A renewal was not paid in the end: the time that it had brought is taken back. */
export const instanceShortened = event('fulfillment.instance-shortened', 1, { data: z.object({ ...about, expiresAt: Time }) });

/** It was not renewed in time: isolated 隔离, and kept for the days of grace. */
export const instanceExpired = event('fulfillment.instance-expired', 1, { data: z.object({ ...about, expiredAt: Time }) });

/** It is released and gone 已关闭. */
export const instanceClosed = event('fulfillment.instance-closed', 1, { data: z.object({ ...about, closedAt: Time }) });

/** The interface of a product is published 发布接口: what passed its online check is what is called from now on. Told anew at each publishing. */
export const endpointPublished = event('fulfillment.endpoint-published', 1, {
  data: z.object({
    productId: ProductId,
    providerId: ProviderId,
    endpointVersion: z.int().min(1),
    publishedAt: Time,
    /** Whether the check has seen it answer for what is metered: without that no metered SKU is sold. */
    isMetering: z.boolean().default(false),
  }),
});

/**
 * People are to deliver it: a case 交付单 is wanted for the instance. Told again until `delivery.opened` is heard, so whoever opens cases
 * opens one for an instance, however often this comes.
 */
export const deliveryRequested = event('fulfillment.delivery-requested', 1, {
  data: z.object({
    ...about,
    orderNumber: z.string(),
    userId: UserId,
    providerId: ProviderId,
    productId: ProductId,
    productName: z.string(),
    skuId: SkuId,
    skuName: z.string(),
    deliveryType: DeliveryType,
    quantity: z.int().min(1),
    paidAt: Time,
  }),
});

/**
 * What an API product's gateway has to know of an instance, whole: who may call, with which keys, how often, until when. The secret keys are
 * sealed with the key that fulfillment and the gateway share, bound to their secretId. Replicas keep the newest `instanceVersion`.
 */
export const apiAccessChanged = event('fulfillment.api-access-changed', 1, {
  data: z.object({
    instanceId: InstanceId,
    instanceVersion: z.int().min(1),
    accountId: AccountId,
    providerId: ProviderId,
    productId: ProductId,
    /** Delivered, not expired, not suspended, not closed. */
    isUsable: z.boolean(),
    /** How many calls have ever been bought, not how many are left. */
    callsBought: z.int().min(0),
    expiresAt: Time.nullable(),
    keys: z.array(
      z.object({
        secretId: z.string(),
        secretKey: z.string().nullable(),
        status: z.enum(['active', 'disabled']),
        validUntil: Time.nullable(),
      }),
    ),
  }),
});

/** Where calls of an API product are forwarded to 后端地址. `token` is sealed, as the keys are, bound to the product's id. */
export const upstreamChanged = event('fulfillment.upstream-changed', 1, {
  data: z.object({ productId: ProductId, providerId: ProviderId, upstreamVersion: z.int().min(1), url: z.url(), token: z.string() }),
});
