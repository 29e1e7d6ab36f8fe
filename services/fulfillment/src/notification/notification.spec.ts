import { expect, test } from 'vitest';
import { newId } from '@yunshi/kernel/ids';
import { autoRenewal, ended, remind, remindersOf } from './notification.ts';

const expiresAt = new Date('2027-03-02T12:00:00+08:00');
const ahead = (days: number) => new Date(expiresAt.getTime() - days * 86_400_000);
const subject = {
  instanceId: newId('ins', expiresAt),
  accountId: newId('acc', expiresAt),
  productName: '云表单',
  status: 'shipped' as const,
  expiresAt,
};

test.each([
  [365, [30, 7, 1]],
  [31, [30, 7, 1]],
  [30, [7, 1]],
  [7, [1]],
  [1, []],
])('bought %i days ahead, it is reminded of %j days ahead', (days, reminders) => {
  expect(remindersOf(expiresAt, ahead(days)).map(({ daysAhead }) => daysAhead)).toEqual(reminders);
});

test('a reminder is told once for one expiry, and again for the next', () => {
  const told = remind(subject, 7, ahead(7))!;
  expect(told).toMatchObject({ kind: 'instance-expiring', daysAhead: 7, expiresAt, readAt: null });
  expect(remind(subject, 7, ahead(6))!.notificationId).toBe(told.notificationId);
  expect(remind(subject, 1, ahead(1))!.notificationId).not.toBe(told.notificationId);
  const renewed = { ...subject, expiresAt: new Date(expiresAt.getTime() + 86_400_000 * 365) };
  expect(remind(renewed, 7, ahead(7))).toBeUndefined();
  expect(remind(renewed, 7, renewed.expiresAt)!.notificationId).not.toBe(told.notificationId);
});

test.each([
  ['shipping', false],
  ['shipped', true],
  // When time has leapt over both: late, but not lost.
  ['expired', true],
  ['closed', false],
  ['failed', false],
] as const)('what is %s is reminded of: %s', (status, is) => {
  expect(remind({ ...subject, status }, 1, expiresAt) !== undefined).toBe(is);
});

test('that it has expired and that it was released are told once for each period', () => {
  expect(ended(subject, 'expired', expiresAt).notificationId).not.toBe(ended(subject, 'closed', expiresAt).notificationId);
  expect(ended(subject, 'expired', expiresAt).notificationId).toBe(ended(subject, 'expired', ahead(-1)).notificationId);
});

test('a renewal of the marketplace’s own making is told once for each end and each order', () => {
  const orderId = newId('ord', expiresAt);
  const ordered = { what: 'ordered', orderId, payable: 9_900, payBy: expiresAt.toISOString() } as const;
  const told = autoRenewal(subject, ordered, expiresAt, ahead(7));
  expect(told).toMatchObject({ kind: 'auto-renewal-ordered', expiresAt, autoRenewal: { orderId } });
  expect(autoRenewal(subject, ordered, expiresAt, ahead(6)).notificationId).toBe(told.notificationId);
  const announced = { what: 'announced', ordersAt: ahead(7).toISOString() } as const;
  const next = new Date(expiresAt.getTime() + 86_400_000 * 30);
  const ids = [told, autoRenewal(subject, announced, expiresAt, ahead(14)), autoRenewal(subject, announced, next, ahead(14))];
  expect(new Set(ids.map(({ notificationId }) => notificationId)).size).toBe(3);
});
