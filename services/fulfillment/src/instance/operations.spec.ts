import { expect, test } from 'vitest';
import { newId } from '@yunshi/kernel/ids';
import type { Flow } from '@yunshi/kernel/marketplace';
import { begin, caseOpened, expire, heard, instanceFlow, release, type Instance } from './instance.ts';
import { operationsOf } from './operations.ts';
import { renew } from './renewal.ts';

const at = new Date('2026-02-01T10:00:00+08:00');
const expiry = new Date('2026-03-01T10:00:00+08:00');
const asker = { sagaId: 'sag_1', step: 'fulfil', direction: 'do' as const, replyTo: 'order' };
const line = {
  skuId: newId('sku', at),
  productId: newId('prd', at),
  providerId: newId('prv', at),
  deliveryType: 'saas' as Instance['deliveryType'],
  quantity: 1,
  period: { count: 1, unit: 'month' as const },
  unitPrice: 9_900,
  amount: 9_900,
};
const bought = (
  changes: { deliveryType?: Instance['deliveryType']; isTrial?: boolean; humanDelivery?: boolean; flow?: Flow } = {},
): Instance => {
  const { deliveryType = 'saas', isTrial = false, humanDelivery = false, flow } = changes;
  const order = { orderId: newId('ord', at), orderNumber: 'N1', accountId: newId('acc', at), userId: newId('usr', at) };
  const what = { kind: 'new_purchase' as const, productName: '云表单', skuName: '专业版', isTrial, humanDelivery };
  return begin({ ...order, ...what, line: { ...line, deliveryType, ...(flow && { flow }) } }, asker, at).instance;
};
const delivered = (changes?: Parameters<typeof bought>[0]): Instance =>
  heard(bought(changes), { task: 'create', seq: 1 }, { kind: 'delivered', signId: 's1', access: 'sealed' }, at).instance;
const expired = (changes?: Parameters<typeof bought>[0]): Instance => expire(delivered(changes), expiry).instance;
const released = (changes?: Parameters<typeof bought>[0]) =>
  release(expired(changes), new Date(expiry.getTime() + 7 * 86_400_000)).instance;
const closed = released();
const flow: Flow = { amount: 2_000, unit: 'Mb' };
const failed = heard(
  { ...bought(), failingSince: new Date(at.getTime() - 4 * 3_600_000) },
  { task: 'create', seq: 1 },
  { kind: 'failed', sent: false },
  at,
).instance;
const renewing = (): Instance => {
  const instance = delivered();
  const { accountId } = instance;
  return renew(instance, { orderId: newId('ord', at), accountId, kind: 'renewal', skuName: '专业版', line }, asker, at)!.instance;
};

test.each<[string, Instance, string[]]>([
  ['发货中', bought(), ['contact']],
  ['发货中, for which nobody has opened a case yet', bought({ deliveryType: 'human_service' }), ['contact']],
  [
    '发货中 with a delivery case',
    caseOpened(bought({ deliveryType: 'human_service' }), newId('dlv', at)).instance,
    ['submit-requirement', 'contact'],
  ],
  ['已发货', delivered(), ['manage', 'renew', 'review', 'contact']],
  ['a trial', delivered({ isTrial: true }), ['manage', 'convert', 'review', 'contact']],
  ['an API product', delivered({ deliveryType: 'api' }), ['manage', 'renew', 'review', 'contact']],
  ['being renewed', renewing(), ['manage', 'review', 'contact']],
  ['suspended', { ...delivered(), suspendedAt: at }, ['review', 'contact']],
  ['without an end', { ...delivered(), expiresAt: null }, ['manage', 'review', 'contact']],
  ['已过期', expired(), ['renew', 'review', 'contact']],
  ['a trial that is over', expired({ isTrial: true }), ['convert', 'review', 'contact']],
  ['已关闭', closed, ['review', 'contact']],
  ['failed', failed, ['contact']],
  ['metered, 已发货', delivered({ flow }), ['manage', 'renew', 'view-usage', 'set-usage-reminder', 'review', 'contact']],
  ['metered, suspended', { ...delivered({ flow }), suspendedAt: at }, ['view-usage', 'review', 'contact']],
  ['metered, 已过期', expired({ flow }), ['renew', 'view-usage', 'review', 'contact']],
  ['metered, 已关闭', released({ flow }), ['view-usage', 'review', 'contact']],
])('%s: %o', (_what, instance, operations) => {
  expect(operationsOf(instance)).toEqual(operations);
});

test('the table speaks of every status', () => {
  const seen = [bought(), delivered(), expired(), closed, failed].map(({ status }) => status);
  expect(seen).toEqual(instanceFlow.states);
});
