import { callerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { InstanceId, OrderId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { DeliveryType } from '@yunshi/kernel/marketplace';
import { z } from 'zod';
import { Problem } from '../problems.ts';
import { instanceFlow } from './instance.ts';
import type { Instance } from './instance.ts';
import { sorts, sortValue } from './instances.ts';
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
  suspended_at: Time.nullable().meta({
    description: '已暂停: the bank has taken the payment back, and it cannot be used until that is settled',
  }),
};
const ListedInstance = z.object(Listed).meta({ id: 'ListedInstance' });

const ShownInstance = z
  .object({
    ...Listed,
    failure: z.enum(['provider-failed', 'provider-never-delivered', 'not-deliverable', 'server-not-made']).nullable(),
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

export type InstanceRouteParts = {
  readonly instances: InstanceBook;
  readonly informationOf: InformationOf;
  /** Names of providers, as far as the catalogue has told them. */
  readonly providerNames: (productIds: readonly ProductId[]) => Promise<ReadonlyMap<string, string>>;
};

export const instanceRoutes =
  ({ instances, informationOf, providerNames }: InstanceRouteParts): Routes =>
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
        const names = await providerNames([instance.productId]);
        return {
          ...listed(instance, names.get(instance.productId)),
          failure: instance.failure,
          ...(await informationOf(instance)),
        };
      },
    );
  };

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
    suspended_at: instance.suspendedAt?.toISOString() ?? null,
  };
}
