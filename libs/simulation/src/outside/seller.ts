import type { Claim } from '@yunshi/coupon/claim/claim';
import { deductionFor } from '@yunshi/coupon/coupon/deduction';
import { demoPersonas } from '@yunshi/contracts/demo-world';
import type { OrderId } from '@yunshi/kernel/ids';
import type { Order } from '@yunshi/order/order/order';
import { changeOrderPrice } from '@yunshi/order/order/writes';
import type { Market } from '../market.ts';
import { idOf } from '../time/names.ts';
import { surely, wait } from './clients.ts';

/** A provider who lets a buyer have it cheaper 改价: when after the order, and which part of the price is left, in percent. */
export type Bargain = { readonly afterMs: number; readonly percent: number };

/** As the route does it: the coupon is reckoned for the new price, then the wish is written. */
export async function lowerPrice(market: Market, { afterMs, percent }: Bargain, orderId: OrderId, key: string): Promise<void> {
  const { world, services } = market;
  await wait(world, afterMs);
  const answer = await surely(services.order, (process) => {
    const order = services.order.database.table<Order>('orders').get(orderId);
    if (!order) return Promise.resolve({ status: 404, body: null, replayed: false });
    const { providerId } = order;
    const total = Math.floor((order.firstTotal * percent) / 100);
    const now = process.clock.now();
    const asked = { orderId, providerId, changeId: idOf('sag', now, world.dice), total, deduction: deductionAt(market, order, total) };
    return process.engine!.write(
      changeOrderPrice,
      { ...asked, note: null, by: demoPersonas.fanying.userId },
      { account: providerId, key, hash: String(percent) },
    );
  });
  world.tell(() => `${orderId}: the wish for ${percent} % of the price is answered ${answer.status}`);
}

function deductionAt({ services }: Market, { claimId, kind, line }: Order, amount: number): number {
  const claim = claimId === null ? undefined : services.coupon.database.table<Claim>('claims').get(claimId);
  const deduction = claim && deductionFor(claim, kind, [{ ...line, amount }]);
  return deduction?.ok ? deduction.value : 0;
}
