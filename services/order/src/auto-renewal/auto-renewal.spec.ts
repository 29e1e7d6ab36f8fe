import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDays } from '@yunshi/kernel/calendar';
import type { OrderId } from '@yunshi/kernel/ids';
import type { Instance } from '../instance/instance.ts';
import { autoRenewalPolicy as policy } from '../policy.ts';
import { helpDesk, instance as instanceId, lin, monthly, named, noon, order, shops } from '../stories.ts';
import { look, notOrdered, ordered, payWithinMs, switchedOff, switchedOn, type AutoRenewal, type Wanted } from './auto-renewal.ts';

const days = (count: number): Date => addDays(noon, count);
const instance: Instance = {
  instanceId,
  instanceVersion: 1,
  accountId: shops,
  orderId: order,
  productId: helpDesk,
  skuId: monthly,
  quantity: 1,
  isTrial: false,
  deliveryType: 'saas',
  status: 'shipped',
  expiresAt: days(30),
};
const wanted: Wanted = { instanceId, accountId: shops, userId: lin, duration: 1, poNumber: null, agreements: [] };
const on = switchedOn(undefined, wanted, days(30), noon);
const placed = named<OrderId>('ord', 'a2');

describe('an instance that renews itself', () => {
  test('is announced two weeks before its end, and ordered a week before', () => {
    expect(look(on, instance, policy, days(15))).toEqual({ what: 'wait', until: days(16) });
    expect(look(on, instance, policy, days(16))).toEqual({ what: 'announce' });
    expect(look(on, instance, policy, days(23))).toEqual({ what: 'order' });
  });

  test('is ordered once for each end, and looked at again when it ends and when its days of grace are over', () => {
    const done = ordered(on, placed);
    expect(look(done, instance, policy, days(24))).toEqual({ what: 'wait', until: days(30) });
    expect(look(done, instance, policy, days(30))).toEqual({ what: 'wait', until: days(38) });
  });

  test('that was renewed by hand meanwhile is looked ahead to its new end', () => {
    const longer = { ...instance, expiresAt: days(60) };
    expect(look(on, longer, policy, days(23))).toEqual({ what: 'moved', renewal: { ...on, expiresAt: days(60) } });
    expect(look({ ...on, expiresAt: days(60) }, longer, policy, days(23))).toEqual({ what: 'wait', until: days(46) });
  });

  test('that is gone renews itself no more', () => {
    expect(look(on, { ...instance, status: 'closed' }, policy, days(30))).toMatchObject({ what: 'over', renewal: { isOn: false } });
    expect(look(on, undefined, policy, days(30))).toMatchObject({ what: 'over' });
  });

  test('that could not be ordered is tried again when its buyer changes what is wanted, and one that was ordered is not', () => {
    const refused = notOrdered(on, 'product-withdrawn');
    expect(look(refused, instance, policy, days(24)).what).toBe('wait');
    expect(look(switchedOn(refused, wanted, days(30), days(24)), instance, policy, days(24)).what).toBe('order');
    expect(look(switchedOn(ordered(on, placed), wanted, days(30), days(24)), instance, policy, days(24)).what).toBe('wait');
  });

  test('can be paid until it ends, and for a day at the least', () => {
    const day = 86_400_000;
    expect(payWithinMs(on, days(23), day)).toBe(7 * day);
    expect(payWithinMs(on, days(29.5), day)).toBe(day);
  });
});

type Act = 'a day' | 'on' | 'off' | 'renewed by hand' | 'paid';

test('whatever happens, no end has two orders, and none is placed while it is off or earlier than it was said', () => {
  const act = fc.constantFrom<Act>('a day', 'a day', 'a day', 'on', 'off', 'renewed by hand', 'paid');
  fc.assert(
    fc.property(fc.array(act, { maxLength: 120 }), (acts) => {
      let renewal: AutoRenewal = on;
      let end = days(30);
      let today = 0;
      const orders: { readonly for: number; readonly on: number }[] = [];
      for (const one of acts) {
        if (one === 'a day') today++;
        if (one === 'on') renewal = switchedOn(renewal, wanted, end, days(today));
        if (one === 'off') renewal = switchedOff(renewal, days(today));
        if (one === 'renewed by hand' || (one === 'paid' && orders.length > 0)) end = addDays(end, 30);
        if (!renewal.isOn) continue;
        for (let next = look(renewal, { ...instance, expiresAt: end }, policy, days(today)); ;) {
          if (next.what === 'moved') renewal = next.renewal;
          if (next.what === 'order') {
            orders.push({ for: end.getTime(), on: days(today).getTime() });
            renewal = ordered(renewal, placed);
          }
          if (next.what !== 'moved') break;
          next = look(renewal, { ...instance, expiresAt: end }, policy, days(today));
        }
      }
      expect(new Set(orders.map((made) => made.for)).size).toBe(orders.length);
      for (const made of orders) expect(made.on).toBeGreaterThanOrEqual(addDays(new Date(made.for), -policy.orderDays).getTime());
    }),
  );
});
