import { instanceClosed, instanceExpired, instanceRenewed, instanceShipped, instanceShortened } from '@yunshi/contracts/fulfillment';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId, InstanceId, OrderId } from '@yunshi/kernel/ids';
import { on, type Decision, type Handler } from '@yunshi/messaging/handle';
import type { Order } from '../order/order.ts';
import { orders } from '../order/orders.ts';
import * as tables from '../tables.ts';
import { learn, type Instance, type InstanceNews } from './instance.ts';

export const instances: Rows<InstanceId, Instance> = rowsOf(tables.instances, 'instanceId');

const selected = selectListOf(tables.instances);

export async function findInstance(sql: Sql, own: Pick<Instance, 'accountId' | 'instanceId'>): Promise<Instance | undefined> {
  const [found] = await sql<Instance[]>`
    select ${sql.unsafe(selected)} from instances where instance_id = ${own.instanceId} and account_id = ${own.accountId}`;
  return found;
}

type About = {
  readonly instanceId: InstanceId;
  readonly instanceVersion: number;
  readonly orderId: OrderId;
  readonly accountId: AccountId;
};

function learned(known: Instance | undefined, order: Order | undefined, news: InstanceNews): Decision<Instance> {
  if (!order) throw new Error(`instance ${news.instanceId} was made by no order that is known here`);
  const { accountId, orderId, productId, skuId, isTrial, deliveryType, line } = order;
  const bought = { accountId, orderId, productId, skuId, isTrial, deliveryType, quantity: line.quantity };
  const save = learn(known, bought, news);
  return save ? { save } : {};
}

const reaction = {
  of: instances,
  key: ({ instanceId }: About) => instanceId,
  beside: { of: orders, key: ({ orderId }: About) => orderId },
};

export const learnInstances: readonly Handler[] = [
  on(instanceShipped, {
    ...reaction,
    decide: ({ instanceId, instanceVersion, expiresAt }, known, { beside }) =>
      learned(known, beside, {
        instanceId,
        instanceVersion,
        status: 'shipped',
        expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
      }),
  }),
  on(instanceRenewed, {
    ...reaction,
    decide: ({ instanceId, instanceVersion, skuId, quantity, expiresAt }, known, { beside }) =>
      learned(known, beside, {
        instanceId,
        instanceVersion,
        status: 'shipped',
        skuId,
        quantity,
        isTrial: false,
        expiresAt: new Date(expiresAt),
      }),
  }),
  on(instanceShortened, {
    ...reaction,
    decide: ({ instanceId, instanceVersion, expiresAt }, known, { beside }) =>
      learned(known, beside, { instanceId, instanceVersion, status: known?.status ?? 'shipped', expiresAt: new Date(expiresAt) }),
  }),
  on(instanceExpired, {
    ...reaction,
    decide: ({ instanceId, instanceVersion }, known, { beside }) =>
      learned(known, beside, { instanceId, instanceVersion, status: 'expired' }),
  }),
  on(instanceClosed, {
    ...reaction,
    decide: ({ instanceId, instanceVersion }, known, { beside }) =>
      learned(known, beside, { instanceId, instanceVersion, status: 'closed' }),
  }),
];
