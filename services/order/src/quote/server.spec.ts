import { describe, expect, test } from 'vitest';
import type { ServerConfiguration } from '@yunshi/kernel/server';
import { place, quoteFor } from '../order/order.ts';
import { askPrice, takePrice } from '../order/price-change.ts';
import { beginPurchase } from '../order/purchase.ts';
import { orderPolicy } from '../policy.ts';
import { facts, helpDeskProduct, instance, lin, linAsks, minus20, monthly, named, noon, usable, yearly } from '../stories.ts';
import { noCoupons } from './quote.ts';
import type { ServerPrice } from './server.ts';

/* An image of ¥99.00 a month, on a server for which the cloud asks ¥88.00 with ¥23.00 of bandwidth. */

const configuration: ServerConfiguration = {
  region: 'ap-guangzhou',
  zone: 'ap-guangzhou-6',
  machineType: 'S5.MEDIUM4',
  imageId: 'img-0a1b2c3d',
  systemDisk: { type: 'CLOUD_BSSD', sizeGb: 50 },
  dataDisks: [],
  bandwidth: { billing: 'by_bandwidth', mbps: 1 },
  securityGroupId: 'sg-0a1b2c3d',
  login: { method: 'password' },
};
const image = { ...helpDeskProduct, deliveryType: 'image' as const };
const told: ServerPrice = { result: 'priced', machine: 8_800, bandwidth: 2_300 };
const wish = { skuId: monthly, quantity: 1, duration: 1, server: configuration };
const known = { ...facts, product: image, coupons: noCoupons, server: told };

describe('the server of an image', () => {
  test('is in the quote, and no coupon takes off from it', () => {
    const coupons = { usable: [usable(minus20, 9_900)], unusable: [] };
    expect(quoteFor(wish, 'best', { ...known, coupons })).toMatchObject({
      ok: true,
      value: { line: { amount: 9_900 }, server: { configuration, machine: 8_800, bandwidth: 2_300 }, total: 21_000, payable: 11_100 },
    });
    const tooMuch = { usable: [usable(minus20, 9_901)], unusable: [] };
    expect(() => quoteFor(wish, 'best', { ...known, coupons: tooMuch })).toThrow('9901 fen off a total of 9900');
  });

  const renewing = { renews: { kind: 'renewal' as const, instanceId: instance } };
  const refusal = (fields: object, beside: object = {}) => {
    const quoted = quoteFor({ ...wish, ...fields }, 'none', { ...known, ...beside });
    return quoted.ok ? undefined : quoted.error;
  };

  test('is wanted with an image that is bought new, and with nothing else', () => {
    expect(refusal({ server: undefined })).toEqual({ code: 'server-not-configured', field: 'server' });
    expect(refusal({}, { product: helpDeskProduct })).toEqual({ code: 'server-not-wanted', field: 'server' });
    expect(refusal(renewing)).toEqual({ code: 'server-not-wanted', field: 'server' });
    expect(refusal({}, { server: { result: 'not-offered' } })).toEqual({ code: 'servers-not-offered', field: 'sku_id' });
  });

  test.each([
    ['zone', 'server/zone'],
    ['bandwidth/mbps', 'server/bandwidth/mbps'],
    ['duration', 'duration'],
  ] as const)('that is refused for its %s is refused by the field of that name', (field, path) => {
    const server: ServerPrice = { result: 'refused', field, reason: 'not-offered', offered: ['x'] };
    expect(refusal({}, { server })).toEqual({ code: 'server-choice-not-offered', field: path, reason: 'not-offered', offered: ['x'] });
  });

  test('goes on with a renewal, at what the cloud asks for one more period', () => {
    const quoted = quoteFor({ ...wish, server: undefined, ...renewing }, 'none', known);
    expect(quoted).toMatchObject({ ok: true, value: { server: { configuration: null, machine: 8_800, bandwidth: 2_300 }, total: 21_000 } });
  });

  const placed = () => {
    const order = place({ ...linAsks, wish, coupon: 'none' }, known, orderPolicy, noon);
    if (!order.ok) throw new Error(order.error.code);
    return order.value.order;
  };

  test('is frozen in the order, and its purchase bills it apart', () => {
    const order = placed();
    expect(order).toMatchObject({ server: { configuration }, total: 21_000, payable: 21_000 });
    expect(beginPurchase(order)).toMatchObject({ data: { server: configuration, serverAmount: 11_100, payable: 21_000 } });
  });

  test("is not the provider's to give away: a price change goes down to what it costs", () => {
    const asked = (total: number) =>
      askPrice(placed(), { changeId: named('sag', 'e1'), total, deduction: 0, note: null, by: lin }, orderPolicy, noon);
    expect(asked(11_099)).toEqual({ ok: false, error: { code: 'price-below-server', field: 'total', server: 11_100 } });
    const lowest = asked(11_100);
    const taken = lowest.ok && takePrice(lowest.value.order, named('sag', 'e1'), noon);
    expect(taken).toMatchObject({
      ok: true,
      value: { order: { line: { amount: 0 }, total: 11_100, payable: 11_100, status: 'pending_payment' } },
    });
  });

  test('yearly is rented for twelve months of it', () => {
    expect(quoteFor({ ...wish, skuId: yearly }, 'none', known)).toMatchObject({
      ok: true,
      value: { line: { period: { count: 1, unit: 'year' } } },
    });
  });
});
