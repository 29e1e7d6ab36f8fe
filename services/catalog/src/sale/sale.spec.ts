import { expect, test } from 'vitest';
import { demoAccounts, demoProducts } from '@yunshi/contracts/demo-world';
import type { OrderId } from '@yunshi/kernel/ids';
import { record, type Sale } from './sale.ts';

const { productId } = demoProducts.crm;
const sale: Sale = {
  orderId: `ord_${'1'.repeat(32)}` as OrderId,
  productId,
  accountId: demoAccounts.qinghe.accountId,
  quantity: 7,
  recordedAt: new Date('2026-03-02T04:00:00Z'),
};

test('an order counts as one sale, whatever its quantity', () => {
  expect(record({ productId, completed: 41 }, undefined, sale)).toEqual({ count: { productId, completed: 42 }, sale });
});

test('an order that is counted is not counted again', () => {
  expect(record({ productId, completed: 42 }, sale, sale)).toBeUndefined();
});
