import { describe, expect, test } from 'vitest';
import type { UserId } from '@yunshi/kernel/ids';
import { orderPolicy } from '../policy.ts';
import type { Rules } from '../purchasing/purchasing.ts';
import { facts, lin, linAsks, named, noon, placed } from '../stories.ts';
import { approve, decline, lapse } from './approval.ts';
import { awaitedOf, place, remove, requestCancel } from './order.ts';

const he = named<UserId>('usr', '4');
const by = { by: he, note: '可以' };
const day = 86_400_000;
const later = (days: number): Date => new Date(noon.getTime() + days * day);
const above = (approvalAbove: number | null): Rules => ({ approvalAbove, poNumberRequired: false });
const waiting = placed({}, { rules: above(100_000) });

describe('an order', () => {
  test('waits for approval only above the limit', () => {
    expect(waiting).toMatchObject({ status: 'pending_approval', payable: 118_000, approveBy: later(7) });
    expect(awaitedOf(waiting)).toEqual({ what: 'approval', until: later(7).toISOString() });
    expect(placed({}, { rules: above(118_000) })).toMatchObject({ status: 'pending_payment', approveBy: null });
    expect(placed({}, { rules: above(null) })).toMatchObject({ status: 'pending_payment' });
  });

  test('carries the number that its organisation asks for', () => {
    const rules: Rules = { approvalAbove: null, poNumberRequired: true };
    expect(place(linAsks, { ...facts, rules }, orderPolicy, noon)).toEqual({
      ok: false,
      error: { code: 'po-number-missing', field: 'po_number' },
    });
    expect(placed({ poNumber: 'PO-7' }, { rules })).toMatchObject({ poNumber: 'PO-7' });
  });
});

describe('a decision', () => {
  test('to approve gives the whole time to pay, at the price that was frozen', () => {
    const approved = approve(waiting, by, orderPolicy, later(3));
    expect(approved).toMatchObject({
      ok: true,
      value: {
        order: { status: 'pending_payment', payable: 118_000, payBy: later(4), decidedBy: he, decisionNote: '可以' },
        entries: [{ what: 'approved', awaits: { what: 'payment', until: later(4).toISOString() } }],
      },
    });
  });

  test('is not for the one who ordered; taking it back is', () => {
    expect(approve(waiting, { by: lin, note: null }, orderPolicy, noon)).toEqual({ ok: false, error: 'own-order-not-approvable' });
    expect(decline(waiting, { by: lin, note: null }, noon)).toMatchObject({ ok: true });
  });

  test('to decline ends the order as cancelled', () => {
    expect(decline(waiting, by, later(1))).toMatchObject({
      ok: true,
      value: {
        order: { status: 'cancelled', endReason: 'approval-declined' },
        entries: [{ what: 'cancelled', reason: 'approval-declined' }],
      },
    });
  });

  test('stands: the same again changes nothing, another is refused', () => {
    const approved = approve(waiting, by, orderPolicy, later(1));
    const declined = decline(waiting, by, later(1));
    if (!approved.ok || !declined.ok) throw new Error('not decided');
    expect(approve(approved.value.order, by, orderPolicy, later(2))).toEqual({
      ok: true,
      value: { order: approved.value.order, entries: [] },
    });
    expect(decline(declined.value.order, by, later(2))).toEqual({ ok: true, value: { order: declined.value.order, entries: [] } });
    expect(decline(approved.value.order, by, later(2))).toEqual({ ok: false, error: 'order-not-awaiting-approval' });
    expect(approve(declined.value.order, by, orderPolicy, later(2))).toEqual({ ok: false, error: 'order-not-awaiting-approval' });
    expect(lapse(approved.value.order, later(8))).toEqual({ order: approved.value.order, entries: [] });
  });
});

test('nobody decides: closed. The buyer thinks better of it: cancelled at once. Both may be deleted', () => {
  const lapsed = lapse(waiting, later(7));
  expect(lapsed).toMatchObject({ order: { status: 'closed', endReason: 'approval-timeout', endedAt: later(7) } });
  const cancelled = requestCancel(waiting, later(1));
  expect(cancelled).toMatchObject({ ok: true, value: { order: { status: 'cancelled', endReason: 'cancelled', endedAt: later(1) } } });
  expect(remove(lapsed.order, later(8)).ok).toBe(true);
});
