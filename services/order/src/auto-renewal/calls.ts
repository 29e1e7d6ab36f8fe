import { z } from 'zod';
import type { Clock } from '@yunshi/kernel/clock';
import { AccountId, InstanceId, newId, type OrderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { outsideCall, performs, type Performer } from '@yunshi/messaging/handle';
import type { Facts } from '../order/order.ts';
import { factsFor, wishFor } from '../quote/facts.ts';
import type { Wish } from '../quote/quote.ts';

/** What an order is decided on, or why the instance cannot be renewed at all. */
type Prepared = { readonly orderId: OrderId; readonly wish: Wish; readonly facts: Facts };

/** Not outside the company, but outside a decision: the buyer's coupons and a server's price are other services' to tell. */
export const prepareRenewal = outsideCall('order.prepare-renewal', {
  request: z.object({ instanceId: InstanceId, accountId: AccountId, duration: z.int(), expiresAt: z.iso.datetime({ offset: true }) }),
  outcome: z.union([z.object({ refused: z.string() }), z.object({ prepared: z.custom<Prepared>((value) => typeof value === 'object') })]),
});

/** `core` is asked for when there is something to prepare: it is made of its performers. */
export const renewalPerformers = (clock: Clock, core: () => Pick<Core, 'sql' | 'ask'>): readonly Performer[] => [
  performs(prepareRenewal, async ({ instanceId, accountId, duration }) => {
    const wished = await wishFor(core(), accountId, { kind: 'renewal', instanceId, duration });
    if (!wished.ok) return { refused: wished.error.code };
    const wish = wished.value;
    const facts = await factsFor(core(), { accountId, wish, withCoupons: true });
    return { prepared: { orderId: newId('ord', clock.now()), wish, facts } };
  }),
];
