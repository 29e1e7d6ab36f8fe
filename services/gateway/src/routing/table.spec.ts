import { expect, test } from 'vitest';
import { routeOf, rules } from './table.ts';

test('the longest rule that fits leads the way', () => {
  expect(routeOf('GET', '/v1/products')).toEqual({ to: 'catalog', route: '/v1/products', needsToken: false });
  expect(routeOf('GET', '/v1/products/prd_1/reviews')?.to).toBe('catalog');
  expect(routeOf('PUT', '/v1/provider/products/prd_1')).toEqual({ to: 'catalog', route: '/v1/provider/products', needsToken: true });
  expect(routeOf('PUT', '/v1/provider/products/prd_1/endpoint')?.to).toBe('fulfillment');
  expect(routeOf('GET', '/v1/my/coupons')).toEqual({ to: 'coupon', route: '/v1/my/coupons', needsToken: true });
  expect(routeOf('GET', '/v1/ops/sagas/sag_1')?.to).toBe('order');
  expect(routeOf('GET', '/v1/ops/payment-gateway/dead-letters')?.to).toBe('payment-gateway');
});

test('only reading is open where reading is, and everything where everything is', () => {
  expect(routeOf('GET', '/v1/coupons')?.needsToken).toBe(false);
  expect(routeOf('HEAD', '/v1/coupons')?.needsToken).toBe(false);
  expect(routeOf('POST', '/v1/coupons/cpn_1/claim')?.needsToken).toBe(true);
  expect(routeOf('POST', '/v1/notify/wechat/payments')?.needsToken).toBe(false);
  expect(routeOf('GET', '/v1/orders')?.needsToken).toBe(true);
});

test('a call of the cloud’s API goes to the root of the host and brings a signature of its own; nothing else is there', () => {
  expect(routeOf('POST', '/')).toEqual({ to: 'fulfillment', route: '/', needsToken: false, isSigned: true });
  expect(routeOf('GET', '/')).toBeUndefined();
});

test('what merely begins like a rule leads nowhere', () => {
  for (const path of ['/v1/', '/v1/order', '/v1/orders2', '/v1/my', '/v1/provider', '/v2/orders', '/orders', '/v1/ops/unknown/x']) {
    expect(routeOf('GET', path)).toBeUndefined();
  }
});

test('a path that two readers could read differently leads nowhere', () => {
  for (const path of [
    '/v1/products/../orders',
    '/v1/products/./x',
    '/v1/products/%2e%2e/orders',
    '/v1/products%2forders',
    '/v1//orders',
    '/v1/products/\\orders',
    '/v1/products/%5corders',
    '/v1/products/..',
    '/v1/products/a%00',
  ]) {
    expect(routeOf('GET', path)).toBeUndefined();
  }
});

test('no rule is written twice', () => {
  expect(new Set(rules.map(({ path }) => path)).size).toBe(rules.length);
});
