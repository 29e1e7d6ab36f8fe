import { describe, expect, test } from 'vitest';
import type { SkuId } from '@yunshi/kernel/ids';
import type { Instance } from '../instance/instance.ts';
import { learn } from '../instance/instance.ts';
import { helpDesk, helpDeskProduct, instance as instanceId, named, order, shops, trialWeek, yearly } from '../stories.ts';
import { wishOf, type Asked } from './renewal.ts';

const helpDeskInstance: Instance = {
  instanceId,
  instanceVersion: 2,
  accountId: shops,
  orderId: order,
  productId: helpDesk,
  skuId: yearly,
  quantity: 3,
  isTrial: false,
  deliveryType: 'saas',
  status: 'shipped',
  expiresAt: new Date('2027-03-02T12:00:00+08:00'),
};
const trial: Instance = { ...helpDeskInstance, skuId: trialWeek, quantity: 1, isTrial: true };
const renewal: Asked = { kind: 'renewal', instanceId, duration: 2 };
const conversion: Asked = { kind: 'trial_conversion', instanceId, duration: 1 };

describe('what is asked for', () => {
  test('of a renewal is the SKU and quantity of its instance', () => {
    expect(wishOf(renewal, helpDeskInstance, helpDeskProduct)).toEqual({
      ok: true,
      value: { skuId: yearly, quantity: 3, duration: 2, server: undefined, renews: { kind: 'renewal', instanceId } },
    });
    expect(wishOf(renewal, { ...helpDeskInstance, status: 'expired' }, helpDeskProduct).ok).toBe(true);
  });

  test('of a conversion is the SKU that the trial leads to', () => {
    expect(wishOf(conversion, trial, helpDeskProduct)).toMatchObject({ ok: true, value: { skuId: yearly, quantity: 1 } });
  });

  test('of an API package is the package again, which has no period', () => {
    const { skuId } = helpDeskProduct.skus.find(({ price }) => price.model === 'per_package')!;
    const package_ = { ...helpDeskInstance, deliveryType: 'api' as const, skuId, quantity: 1 };
    expect(wishOf({ ...renewal, duration: undefined }, package_, helpDeskProduct)).toMatchObject({ ok: true, value: { skuId } });
  });

  test.each([
    ['nobody has', renewal, undefined, 'instance-not-found'],
    ['is closed', renewal, { ...helpDeskInstance, status: 'closed' }, 'closed'],
    ['is a trial', renewal, trial, 'trial'],
    ['is no trial', conversion, helpDeskInstance, 'not-a-trial'],
    ['has a SKU that is gone', renewal, { ...helpDeskInstance, skuId: named<SkuId>('sku', '999') }, 'has-no-periods'],
    ['people deliver', renewal, { ...helpDeskInstance, deliveryType: 'human_service' }, 'not-offered'],
    [
      'is an image whose server is not in use any more',
      renewal,
      { ...helpDeskInstance, deliveryType: 'image', status: 'expired' },
      'not-in-use',
    ],
  ] as const)('is refused of an instance that %s', (_, asked, known, why) => {
    const refused = wishOf(asked, known, helpDeskProduct);
    expect(refused).toMatchObject({
      ok: false,
      error: why === 'instance-not-found' ? { code: why } : { code: 'instance-not-renewable', why },
    });
  });
});

test('news of an instance are taken in whatever order they come', () => {
  const bought = {
    accountId: shops,
    orderId: order,
    productId: helpDesk,
    skuId: yearly,
    quantity: 1,
    isTrial: false,
    deliveryType: 'saas' as const,
  };
  const at = new Date('2027-03-02T12:00:00+08:00');
  const first = learn(undefined, bought, { instanceId, instanceVersion: 3, status: 'expired' });
  expect(first).toMatchObject({ status: 'expired', expiresAt: null, productId: helpDesk });
  expect(learn(first, bought, { instanceId, instanceVersion: 2, status: 'shipped', expiresAt: at })).toBeUndefined();
  expect(learn(first, bought, { instanceId, instanceVersion: 4, status: 'shipped', expiresAt: at })).toMatchObject({
    expiresAt: at,
    skuId: yearly,
  });
});
