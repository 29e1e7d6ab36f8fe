import { newId } from '@yunshi/kernel/ids';
import type { Flow } from '@yunshi/kernel/marketplace';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { begin, expire, heard, release, type Instance } from '../instance/instance.ts';
import { renew, heardOfRenewal } from '../instance/renewal.ts';
import { isAmount, leftOf } from './amount.ts';
import { usagePolicy } from './policy.ts';
import { alertOff, answered, ask, fits, isNews, isToBeAsked, mayBeAsked, mayBeSet, reminded, set, settled, unknown } from './usage.ts';
import type { Alert, Outcome, Reminder, Usage } from './usage.ts';

const at = new Date('2026-02-01T10:00:00+08:00');
const expiry = new Date('2026-03-01T10:00:00+08:00');
const after = (ms: number) => new Date(at.getTime() + ms);
const flow: Flow = { amount: 2_000, unit: 'Mb' };
const asker = { sagaId: 'sag_1', step: 'fulfil', direction: 'do' as const, replyTo: 'order' };
const line = {
  skuId: newId('sku', at),
  productId: newId('prd', at),
  providerId: newId('prv', at),
  deliveryType: 'saas' as const,
  quantity: 1,
  period: { count: 1, unit: 'month' as const },
  unitPrice: 9_900,
  amount: 9_900,
};
const bought = (holds: Flow | undefined = flow, isTrial = false): Instance => {
  const order = { orderId: newId('ord', at), orderNumber: 'N1', accountId: newId('acc', at), userId: newId('usr', at) };
  const what = { kind: 'new_purchase' as const, productName: '云表单', skuName: '流量版', isTrial, humanDelivery: false };
  return begin({ ...order, ...what, line: { ...line, ...(holds && { flow: holds }) } }, asker, at).instance;
};
const delivered = (...of: Parameters<typeof bought>): Instance =>
  heard(bought(...of), { task: 'create', seq: 1 }, { kind: 'delivered', signId: 's1', access: 'sealed' }, at).instance;
const expired = expire(delivered(), expiry).instance;
const closed = release(expired, new Date(expiry.getTime() + 7 * 86_400_000)).instance;

describe('what is left', () => {
  test.each([
    ['2000', '0', '2000'],
    ['2000', '1999.5', '0.5'],
    ['0.3', '0.1', '0.2'],
    ['10.000001', '10', '0.000001'],
    ['5', '7', '0'],
    ['999999999999999', '0.000001', '999999999999998.999999'],
  ])('of %s, when %s was used, is %s', (total, used, left) => {
    expect(leftOf(total, used)).toBe(left);
  });

  test('and what was used make the total, for all figures', () => {
    const millionths = fc.bigInt({ min: 0n, max: 10n ** 20n });
    const text = (value: bigint) => `${value / 1_000_000n}.${String(value % 1_000_000n).padStart(6, '0')}`;
    fc.assert(
      fc.property(millionths, millionths, (left, used) => {
        fc.pre((left + used) / 1_000_000n < 10n ** 15n);
        const [whole = '', fraction = ''] = leftOf(text(left + used), text(used)).split('.');
        expect(BigInt(whole + fraction.padEnd(6, '0'))).toBe(left);
      }),
    );
  });

  test.each(['', '-1', '1e3', '1.', '.5', '1,5', ' 1', '1.1234567'])('cannot be told of «%s»', (text) =>
    expect(isAmount(text)).toBe(false),
  );
});

test.each<[string, Instance, boolean, boolean]>([
  ['发货中', bought(), false, false],
  ['已发货', delivered(), true, true],
  ['已过期', expired, true, false],
  ['已关闭', closed, false, false],
  ['suspended', { ...delivered(), suspendedAt: at }, false, false],
  ['that people deliver', { ...delivered(), humanDelivery: true }, false, false],
  ['that is not metered', { ...delivered(), flow: null }, false, false],
])('an instance %2$s', (_what, instance, isAsked, isSet) => {
  expect([mayBeAsked(instance), mayBeSet(instance)]).toEqual([isAsked, isSet]);
});

test('what is metered stays so when it is renewed, with what the renewal holds', () => {
  const instance = delivered();
  const order = (holds: Flow | undefined, kind: 'renewal' | 'trial_conversion' = 'renewal') => ({
    orderId: newId('ord', at),
    accountId: instance.accountId,
    kind,
    skuName: '流量版',
    line: { ...line, ...(holds && { flow: holds }) },
  });
  const renewed = (from: Instance, of: ReturnType<typeof order>) => {
    const asking = renew(from, { ...of, accountId: from.accountId }, asker, at)!.instance;
    return heardOfRenewal(asking, { task: asking.task!, seq: asking.callSeq }, { kind: 'agreed' }, at).instance.flow;
  };
  expect(renewed(instance, order({ amount: 5, unit: 'Gb' }))).toEqual({ amount: 5, unit: 'Gb' });
  expect(renewed(instance, order(undefined))).toEqual(flow);
  const trial = delivered({ amount: 10, unit: 'Mb' }, true);
  expect(renewed(trial, order(flow, 'trial_conversion'))).toEqual(flow);
  expect(renewed(trial, order(undefined, 'trial_conversion'))).toBeNull();
});

const { instanceId } = delivered();
const none = unknown(instanceId);
const told: Outcome = { kind: 'told', reading: { total: '2000', used: '12', unit: 'Mb' } };

describe('a provider', () => {
  test('is asked once a minute at most, and not while it is being asked', () => {
    expect(isToBeAsked(undefined, at)).toBe(true);
    const asking = ask(none, at);
    expect(isToBeAsked(asking, after(usagePolicy.askedEveryMs))).toBe(false);
    const known = answered(asking, 1, told, after(3));
    expect(isToBeAsked(known, after(usagePolicy.askedEveryMs - 1))).toBe(false);
    expect(isToBeAsked(known, after(usagePolicy.askedEveryMs))).toBe(true);
  });

  test('is asked anew when a question has been lost, and what comes of that one then says nothing', () => {
    const lost = ask(none, at);
    const again = after(usagePolicy.silentMsMax);
    expect(isToBeAsked(lost, again)).toBe(true);
    const asking = ask(lost, again);
    expect(answered(asking, 1, told, again)).toBe(asking);
    expect(answered(asking, 2, told, again)).toMatchObject({ total: '2000', query: null });
  });

  test('that does not answer leaves the last figures, with their time and the trouble; the next answer clears it', () => {
    const known = answered(ask(none, at), 1, told, at);
    const failing = answered(ask(known, after(60_000)), 2, { kind: 'failed' }, after(65_000));
    expect(failing).toMatchObject({
      total: '2000',
      used: '12',
      asOf: at,
      query: null,
      trouble: { kind: 'failed', at: after(65_000).toISOString() },
    });
    const well = answered(ask(failing, after(120_000)), 3, told, after(120_001));
    expect(well).toMatchObject({ trouble: null, asOf: after(120_001) });
  });
});

describe('a reminder setting', () => {
  const alert: Alert = { on: true, span: '200', unit: 'Mb' };
  const begun = (usage: Usage, wanted = alert) => {
    const result = set(usage, wanted, at);
    if (!result.ok) throw new Error(result.error);
    return result.value;
  };

  test('holds once the provider has agreed; what it does not agree to leaves the one before', () => {
    const agreed = settled(begun(none), 1, { kind: 'told' }, after(5));
    expect(agreed).toMatchObject({ setting: null, refused: null, reminder: { ...alert, since: after(5).toISOString() } });
    const declined = settled(begun(agreed, { ...alert, span: '9' }), 2, { kind: 'declined' }, after(9));
    expect(declined).toMatchObject({ setting: null, reminder: alert, refused: { kind: 'declined', span: '9', seq: 2 } });
    expect(begun(declined).refused).toBeNull();
  });

  test('is one at a time, and neither waits for a question nor for a renewal', () => {
    expect(set(begun(none), alert, at)).toEqual({ ok: false, error: 'setting-in-hand' });
    expect(begun(ask(none, at))).toMatchObject({ callSeq: 2, query: { seq: 1 }, setting: { seq: 2 } });
  });

  test('is in a unit that the product counts in', () => {
    expect(fits('Gb', 'Mb')).toBe(true);
    expect(fits('h', 'Mb')).toBe(false);
    expect(fits('m', 'h')).toBe(true);
  });

  test('is switched off with the figures that it had, or none', () => {
    expect(alertOff(none, flow)).toEqual({ on: false, span: '0', unit: 'Mb' });
    expect(alertOff(settled(begun(none), 1, { kind: 'told' }, at), flow)).toEqual({ ...alert, on: false });
  });
});

describe('a reminder of the provider', () => {
  const reminder = (nth: number, heardMs: number, left = '100'): Reminder => ({
    flowId: `flow-${nth}`,
    total: '2000',
    left,
    unit: 'Mb',
    at: at.toISOString(),
    heardMs,
  });
  const taken = (usage: Usage, one: Reminder): Usage => {
    const result = reminded(usage, one);
    if (!result.ok) throw new Error(result.error);
    return result.value;
  };

  test('is taken once', () => {
    const usage = taken(none, reminder(1, 0));
    expect(reminded(usage, reminder(1, 5))).toEqual({ ok: false, error: 'replayed' });
    expect(taken(usage, reminder(2, 5)).reminders.map(({ flowId }) => flowId)).toEqual(['flow-2', 'flow-1']);
  });

  test('is news only where the figures are others than those before', () => {
    const usage = taken(none, reminder(1, 0));
    expect(isNews(none, reminder(1, 0))).toBe(true);
    expect(isNews(usage, reminder(2, 5))).toBe(false);
    expect(isNews(usage, reminder(2, 5, '99'))).toBe(true);
  });

  test('is refused rather than another forgotten whose signature is still good: whatever comes when, none is taken twice', () => {
    const stepMs = fc.integer({ min: 0, max: usagePolicy.replayMs / 8 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), stepMs), { maxLength: 120 }), (calls) => {
        const takenAt = new Map<string, number>();
        let usage = none;
        let now = 0;
        for (const [nth, waited] of calls) {
          now += waited;
          const one = reminder(nth, now);
          const result = reminded(usage, one);
          if (!result.ok) continue;
          const before = takenAt.get(one.flowId);
          expect(before === undefined || now - before >= usagePolicy.replayMs).toBe(true);
          takenAt.set(one.flowId, now);
          usage = result.value;
          expect(usage.reminders.length).toBeLessThanOrEqual(usagePolicy.remindersMax);
        }
      }),
    );
  });
});
