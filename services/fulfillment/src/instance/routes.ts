import type { contactOfProvider } from '@yunshi/contracts/catalog';
import { callerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { InstanceId, OrderId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { DeliveryType, OrderKind } from '@yunshi/kernel/marketplace';
import { z } from 'zod';
import { Problem } from '../problems.ts';
import { instanceFlow } from './instance.ts';
import type { Instance } from './instance.ts';
import { sorts, sortValue } from './instances.ts';
import { operations, operationsOf } from './operations.ts';
import type { RenewalEnd } from './renewal.ts';
import type { InstanceBook } from './instances.ts';
import { serviceInformation } from './service-information.ts';
import type { InformationOf } from './service-information.ts';

/** 已购产品与服务: what the caller's account has bought. */

const Time = z.iso.datetime({ offset: true });

const Listed = {
  instance_id: InstanceId,
  status: z.enum(instanceFlow.states).meta({ description: '发货中, 已发货, 已过期, 已关闭; failed: not delivered, and refunded' }),
  delivery_type: DeliveryType,
  product_id: ProductId,
  product_name: z.string(),
  sku_id: SkuId,
  sku_name: z.string(),
  provider_id: ProviderId,
  provider_name: z.string().nullable(),
  is_trial: z.boolean(),
  quantity: z.int(),
  order_id: OrderId,
  order_number: z.string(),
  created_at: Time,
  shipped_at: Time.nullable(),
  expires_at: Time.nullable().meta({ description: 'null: it has not been delivered, or does not expire' }),
  closed_at: Time.nullable(),
  operations: z
    .array(z.enum(operations))
    .meta({ description: 'What can be done with it now: 管理, 续费, 提需求单, 转正式版, 评价, 联系服务商' }),
  suspended_at: Time.nullable().meta({
    description: '已暂停: the bank has taken the payment back, and it cannot be used until that is settled',
  }),
};
const Past = z.object({
  order_id: OrderId,
  kind: OrderKind,
  state: z.enum(['in-hand', 'done', 'refused']).meta({ description: 'refused: nothing has changed, and the money went back' }),
  expires_at: Time.nullable().meta({ description: 'The expiry that it brought' }),
  at: Time.meta({ description: 'When it was done or refused; for what is in hand and for the first order, when it came' }),
});

const ShownContact = z.object({ phone: z.string(), email: z.string(), service_hours: z.string() });

const ListedInstance = z.object(Listed).meta({ id: 'ListedInstance' });

const ShownInstance = z
  .object({
    ...Listed,
    failure: z.enum(['provider-failed', 'provider-never-delivered', 'not-deliverable', 'delivery-closed', 'server-not-made']).nullable(),
    orders: z.array(Past).meta({ description: 'The order that made it, and those that renewed or converted it, the newest first' }),
    contact: ShownContact.nullable().meta({ description: '服务商联系方式; null while the catalogue does not answer' }),
    ...serviceInformation,
  })
  .meta({ id: 'Instance' });

const ListQuery = z.strictObject({
  ...listQuery,
  delivery_type: DeliveryType.optional(),
  status: z.enum(instanceFlow.states).optional(),
  q: z.string().trim().min(1).max(64).optional().meta({ description: "Part of the product's name, an instance id, or an order number" }),
  sort: z.enum(sorts).default('-created_at'),
});

/** The name of the sort stands in front, so that a cursor is not continued under another one. */
const cursor = keyset(z.tuple([z.enum(sorts), z.union([Time, z.literal('infinity')]), InstanceId]));

type Contact = NonNullable<z.infer<(typeof contactOfProvider)['answer']>['contact']>;

export type InstanceRouteParts = {
  readonly instances: InstanceBook;
  readonly informationOf: InformationOf;
  /** Null where it cannot be told. */
  readonly contactOf: (providerId: ProviderId) => Promise<Contact | null>;
  /** Names of providers, as far as the catalogue has told them. */
  readonly providerNames: (productIds: readonly ProductId[]) => Promise<ReadonlyMap<string, string>>;
};

export const instanceRoutes =
  ({ instances, informationOf, contactOf, providerNames }: InstanceRouteParts): Routes =>
  async (app) => {
    app.get(
      '/v1/instances',
      {
        config: { access: ['buyer'] },
        schema: { summary: 'List your instances', querystring: ListQuery, response: { 200: pageOf(ListedInstance) } },
      },
      async (request) => {
        const { limit, delivery_type: deliveryType, status, q: search, sort } = request.query;
        const after = cursor.after(request.query.cursor);
        if (after !== undefined && after[0] !== sort) throw new Problem('cursor-not-valid');
        const rows = await instances.list({
          accountId: callerOf(request).accountId,
          deliveryType,
          status,
          search,
          sort,
          after: after === undefined ? undefined : [after[1], after[2]],
          take: limit + 1,
        });
        const names = await providerNames(rows.map(({ productId }) => productId));
        return cursor.page(
          rows,
          limit,
          (row) => [sort, sortValue(sort, row), row.instanceId],
          (row) => listed(row, names.get(row.productId)),
        );
      },
    );
    app.get(
      '/v1/instances/:instance_id',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found') },
        schema: {
          summary: 'Read one instance, with its application',
          params: z.object({ instance_id: InstanceId }),
          response: { 200: ShownInstance },
        },
      },
      async (request) => {
        const instance = await instances.find(callerOf(request).accountId, request.params.instance_id);
        if (instance === undefined) throw new Problem('not-found');
        const [names, renewals, contact, information] = await Promise.all([
          providerNames([instance.productId]),
          instances.renewalsOf(instance.instanceId),
          contactOf(instance.providerId),
          informationOf(instance),
        ]);
        return {
          ...listed(instance, names.get(instance.productId)),
          failure: instance.failure,
          orders: ordersOf(instance, renewals),
          contact: contact && { phone: contact.phone, email: contact.email, service_hours: contact.serviceHours },
          ...information,
        };
      },
    );
  };

function ordersOf(instance: Instance, renewals: readonly RenewalEnd[]): z.infer<typeof Past>[] {
  const { renewal, orderId, status, createdAt } = instance;
  const inHand = renewal && [
    {
      order_id: renewal.orderId,
      kind: renewal.kind,
      state: 'in-hand' as const,
      expires_at: null,
      at: renewal.since ?? createdAt.toISOString(),
    },
  ];
  const past = renewals.map(({ orderId: order_id, kind, refusal, expiresAt, endedAt }) => ({
    order_id,
    kind,
    state: refusal === null ? ('done' as const) : ('refused' as const),
    expires_at: expiresAt?.toISOString() ?? null,
    at: endedAt.toISOString(),
  }));
  const state = status === 'shipping' ? 'in-hand' : status === 'failed' ? 'refused' : 'done';
  return [...(inHand ?? []), ...past, { order_id: orderId, kind: 'new_purchase', state, expires_at: null, at: createdAt.toISOString() }];
}

function listed(instance: Instance, providerName: string | undefined): z.infer<typeof ListedInstance> {
  return {
    instance_id: instance.instanceId,
    status: instance.status,
    delivery_type: instance.deliveryType,
    product_id: instance.productId,
    product_name: instance.productName,
    sku_id: instance.skuId,
    sku_name: instance.skuName,
    provider_id: instance.providerId,
    provider_name: providerName ?? null,
    is_trial: instance.isTrial,
    quantity: instance.quantity,
    order_id: instance.orderId,
    order_number: instance.orderNumber,
    created_at: instance.createdAt.toISOString(),
    shipped_at: instance.shippedAt?.toISOString() ?? null,
    expires_at: instance.expiresAt?.toISOString() ?? null,
    closed_at: instance.closedAt?.toISOString() ?? null,
    operations: operationsOf(instance),
    suspended_at: instance.suspendedAt?.toISOString() ?? null,
  };
}
