import { newId } from '@yunshi/kernel/ids';
import { describe, expect, test } from 'vitest';
import { begin, heard, type Asker, type Instance } from './instance.ts';
import { disputed, type Disputed } from './suspension.ts';

const paidAt = new Date('2026-02-01T10:00:00+08:00');
const hour = 3_600_000;
const after = (hours: number): Date => new Date(paidAt.getTime() + hours * hour);
const asker: Asker = { sagaId: 'sag_1', step: 'fulfil', direction: 'do', replyTo: 'order' };

const shipping = (): Instance =>
  begin(
    {
      orderId: newId('ord', paidAt),
      orderNumber: '20260201000001',
      accountId: newId('acc', paidAt),
      userId: newId('usr', paidAt),
      kind: 'new_purchase',
      productName: '云表单',
      skuName: '专业版',
      isTrial: false,
      humanDelivery: false,
      line: {
        skuId: newId('sku', paidAt),
        productId: newId('prd', paidAt),
        providerId: newId('prv', paidAt),
        deliveryType: 'saas',
        quantity: 1,
        period: { count: 1, unit: 'month' },
        unitPrice: 9_900,
        amount: 9_900,
      },
    },
    asker,
    paidAt,
  ).instance;
const shipped = (): Instance =>
  heard(shipping(), { task: 'create', seq: 1 }, { kind: 'delivered', signId: 's1', access: 'sealed' }, paidAt).instance;

const open = (change: Partial<Disputed> = {}): Disputed => ({
  orderId: newId('ord', paidAt),
  suspendedAt: after(5),
  outcome: null,
  endedAt: null,
  kind: null,
  broughtMs: null,
  ...change,
});

describe('an instance whose payment a bank took back', () => {
  test('is suspended, and goes on when the money has come again', () => {
    const suspended = disputed(shipped(), [open()], after(6)).step;
    expect(suspended).toMatchObject({ instance: { status: 'shipped', suspendedAt: after(5), version: 3 } });
    expect(suspended.happened).toBeUndefined();
    expect(disputed(suspended.instance, [open({ outcome: 'repaid' })], after(7))).toMatchObject({
      step: { instance: { status: 'shipped', suspendedAt: null } },
      ended: [],
    });
  });

  test('stays suspended as long as one of several cases is open', () => {
    const both = disputed(shipped(), [open(), open({ suspendedAt: after(3), kind: 'renewal', broughtMs: hour })], after(6)).step.instance;
    expect(both.suspendedAt).toEqual(after(3));
    expect(disputed(both, [open({ outcome: 'repaid' }), open({ kind: 'renewal' })], after(7)).step.instance.suspendedAt).toEqual(after(5));
  });

  test('looked at again is left as it is', () => {
    const once = disputed(shipped(), [open()], after(6)).step.instance;
    expect(disputed(once, [open()], after(8)).step.instance).toBe(once);
  });

  test.each([
    ['the order that made it', null],
    ['the order that made its trial a formal one', 'trial_conversion' as const],
  ])('and %s is not paid in the end: it is closed, and its provider told', (_, kind) => {
    const unpaid = open({ outcome: 'ended', kind });
    const { step, ended } = disputed({ ...shipped(), suspendedAt: after(5) }, [unpaid], after(9));
    expect(step).toMatchObject({
      instance: { status: 'closed', access: null, suspendedAt: null, closedAt: after(9) },
      call: { task: 'destroy' },
      happened: 'closed',
    });
    expect(ended).toEqual([{ orderId: unpaid.orderId, suspendedAt: after(5), outcome: 'ended', endedAt: after(9) }]);
    expect(disputed(step.instance, [{ ...unpaid, endedAt: after(9) }], after(10))).toEqual({
      step: { instance: step.instance },
      ended: [],
    });
  });

  test('and a renewal is not paid in the end: only the time that it brought is taken back', () => {
    const instance = { ...shipped(), expiresAt: after(1_000) };
    const { step } = disputed(instance, [open({ outcome: 'ended', kind: 'renewal', broughtMs: 400 * hour })], after(9));
    expect(step).toMatchObject({ instance: { status: 'shipped', expiresAt: after(600), suspendedAt: null }, happened: 'shortened' });
  });

  test('that is not delivered yet fails: its saga turns back', () => {
    const step = disputed(shipping(), [open({ outcome: 'ended' })], after(1)).step;
    expect(step).toMatchObject({ instance: { status: 'failed' }, answer: { to: asker, refused: 'not-deliverable' } });
  });

  test('while a renewal is in hand waits for its answer', () => {
    const renewal = { asker } as Instance['renewal'];
    const { step, ended } = disputed({ ...shipped(), renewal }, [open({ outcome: 'ended' })], after(1));
    expect(step.instance.status).toBe('shipped');
    expect(ended).toEqual([]);
  });
});
