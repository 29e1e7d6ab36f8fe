import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newId } from '@yunshi/kernel/ids';
import { begin, expire, heard, release } from './instance.ts';
import type { Asker, Instance, Outcome, Step } from './instance.ts';
import { deliveryPolicy } from './policy.ts';
import { heardOfRenewal, renew, type RenewalOrder } from './renewal.ts';

const paidAt = new Date('2026-02-01T10:00:00+08:00');
const oldExpiry = new Date('2026-03-01T10:00:00+08:00');
const newExpiry = '2026-04-01T02:00:00.000Z';
const hour = 3_600_000;
const day = 24 * hour;
const after = (at: Date, ms: number): Date => new Date(at.getTime() + ms);
const asker: Asker = { sagaId: 'sag_1', step: 'fulfil', direction: 'do', replyTo: 'order' };
const renewer: Asker = { sagaId: 'sag_2', step: 'renew', direction: 'do', replyTo: 'order' };

const line = {
  skuId: newId('sku', paidAt),
  productId: newId('prd', paidAt),
  providerId: newId('prv', paidAt),
  deliveryType: 'saas' as const,
  quantity: 1,
  period: { count: 1, unit: 'month' as const },
  unitPrice: 9_900,
  amount: 9_900,
};

/** A delivered instance: of a month, or a trial of seven days. */
function shipped({ isTrial = false } = {}): Instance {
  const { period: _, ...withoutPeriod } = line;
  const begun = begin(
    {
      orderId: newId('ord', paidAt),
      orderNumber: '20260201000001',
      accountId: newId('acc', paidAt),
      userId: newId('usr', paidAt),
      kind: 'new_purchase',
      productName: '云表单',
      skuName: isTrial ? '体验版' : '专业版',
      isTrial,
      humanDelivery: false,
      line: isTrial ? withoutPeriod : line,
    },
    asker,
    paidAt,
  ).instance;
  const step = heard(begun, { task: 'create', seq: 1 }, { kind: 'delivered', signId: 's1', access: 'sealed', validDays: 7 }, paidAt);
  return step.instance;
}

const renewal = (of: Instance, kind: RenewalOrder['kind'] = 'renewal'): RenewalOrder => ({
  orderId: newId('ord', oldExpiry),
  accountId: of.accountId,
  kind,
  skuName: '专业版',
  line,
});

const asked = (instance: Instance, at: Date, kind?: RenewalOrder['kind']): Step => {
  const step = renew(instance, renewal(instance, kind), renewer, at);
  if (!step) throw new Error('it was not renewable');
  return step;
};
const answered = ({ instance }: Step, outcome: Outcome, at: Date): Step =>
  heardOfRenewal(instance, { task: instance.task!, seq: instance.callSeq }, outcome, at);
const agreed: Outcome = { kind: 'agreed' };

/** Expired, and its provider knows. */
function isolated(): Instance {
  const { instance } = expire(shipped(), oldExpiry);
  return heard(instance, { task: 'expire', seq: instance.callSeq }, agreed, oldExpiry).instance;
}

describe('a renewal', () => {
  test('asks the provider, and prolongs from the old expiry', () => {
    const step = asked(shipped(), after(paidAt, day));
    expect(step).toMatchObject({ call: { task: 'renew' }, instance: { status: 'shipped', expiresAt: oldExpiry } });
    expect(answered(step, agreed, after(paidAt, 2 * day))).toMatchObject({
      instance: { status: 'shipped', expiresAt: new Date(newExpiry), renewal: null, task: null },
      renewal: { to: renewer },
      happened: 'renewed',
    });
  });

  test('also in the days of grace, as if it had come in time', () => {
    const step = asked(isolated(), after(oldExpiry, 3 * day));
    expect(answered(step, agreed, after(oldExpiry, 3 * day))).toMatchObject({
      instance: { status: 'shipped', expiresAt: new Date(newExpiry) },
    });
  });

  test.each([agreed, { kind: 'failed', sent: true } as Outcome, { kind: 'declined' } as Outcome])(
    'that comes while the provider is being told to isolate it waits for what comes of that (%j), and then restores it',
    (outcome) => {
      const { instance } = expire(shipped(), oldExpiry);
      const waits = asked(instance, after(oldExpiry, hour));
      expect(waits.call).toBeUndefined();
      const step = heard(waits.instance, { task: 'expire', seq: instance.callSeq }, outcome, after(oldExpiry, hour));
      expect(step.call).toEqual({ task: 'renew', notBefore: undefined });
      expect(answered(step, agreed, after(oldExpiry, hour))).toMatchObject({
        instance: { status: 'shipped', expiresAt: new Date(newExpiry) },
      });
    },
  );

  test('that would be over before it begins is refused', () => {
    const instance = isolated();
    const order = { ...renewal(instance), line: { ...line, period: { count: 1, unit: 'day' as const } } };
    expect(renew(instance, order, renewer, after(oldExpiry, 2 * day))).toBeUndefined();
    expect(renew(instance, order, renewer, after(oldExpiry, hour))).toBeDefined();
  });

  test('refused by the provider changes nothing and is answered so', () => {
    const before = shipped();
    const step = answered(asked(before, paidAt), { kind: 'declined' }, paidAt);
    expect(step).toMatchObject({
      instance: { status: 'shipped', expiresAt: oldExpiry, renewal: null },
      renewal: { refused: 'provider-refused' },
    });
    expect(step.happened).toBeUndefined();
  });

  test('is asked again while the provider fails, and given up after three hours', () => {
    let step = asked(shipped(), paidAt);
    let at = paidAt;
    let calls = 0;
    while (step.call) {
      at = after(step.call.notBefore ?? at, 1_000);
      step = answered(step, { kind: 'failed', sent: true }, at);
      calls++;
    }
    expect(step).toMatchObject({ renewal: { refused: 'provider-failed' }, instance: { renewal: null } });
    expect(at.getTime() - paidAt.getTime()).toBeGreaterThanOrEqual(deliveryPolicy.failingMsMax);
    expect(calls).toBeGreaterThan(30);
  });

  test('keeps what it renews: it expires meanwhile, but is neither isolated nor released before the answer', () => {
    const step = asked(shipped(), after(oldExpiry, -hour));
    const expired = expire(step.instance, oldExpiry);
    expect(expired).toMatchObject({ instance: { status: 'expired', task: 'renew' }, happened: 'expired' });
    expect(expired.call).toBeUndefined();
    expect(release(expired.instance, after(oldExpiry, 8 * day))).toEqual({ instance: expired.instance });
    expect(answered({ instance: expired.instance }, agreed, after(oldExpiry, hour)).instance).toMatchObject({ status: 'shipped' });
    const refused = answered({ instance: expired.instance }, { kind: 'declined' }, after(oldExpiry, hour));
    expect(refused).toMatchObject({ call: { task: 'expire' }, rearm: true, renewal: { refused: 'provider-refused' } });
  });

  test('asked for again by the same order waits for the same answer', () => {
    const order = renewal(shipped());
    const instance = { ...shipped(), accountId: order.accountId };
    const first = renew(instance, order, renewer, paidAt)!;
    const again = renew(first.instance, order, { ...renewer, replyTo: 'elsewhere' }, paidAt)!;
    expect(again.call).toBeUndefined();
    expect(again.instance.renewal?.asker.replyTo).toBe('elsewhere');
  });

  test.each<[string, (instance: Instance) => Instance, RenewalOrder['kind']]>([
    ['closed', (instance) => release(expire(instance, oldExpiry).instance, after(oldExpiry, 7 * day)).instance, 'renewal'],
    ['somebody else’s', (instance) => ({ ...instance, accountId: newId('acc', oldExpiry) }), 'renewal'],
    ['being renewed by another order', (instance) => asked(instance, paidAt).instance, 'renewal'],
    ['not a trial', (instance) => instance, 'trial_conversion'],
    ['without an end', (instance) => ({ ...instance, expiresAt: null }), 'renewal'],
  ])('of what is %s is refused at once', (_, made, kind) => {
    const original = shipped();
    expect(renew(made(original), renewal(original, kind), renewer, paidAt)).toBeUndefined();
  });
});

test('a conversion makes the same instance formal, from now on', () => {
  const trial = shipped({ isTrial: true });
  expect(renew(trial, renewal(trial), renewer, paidAt)).toBeUndefined();
  const at = after(paidAt, 3 * day);
  const step = answered(asked(trial, at, 'trial_conversion'), agreed, at);
  expect(step.instance).toMatchObject({
    instanceId: trial.instanceId,
    isTrial: false,
    skuId: line.skuId,
    skuName: '专业版',
    periodCount: 1,
    expiresAt: new Date('2026-03-04T10:00:00+08:00'),
  });
});

test('however the provider answers, a renewal ends once: prolonged or refused, never both', () => {
  const outcome = fc.constantFrom<Outcome>(
    agreed,
    { kind: 'declined' },
    { kind: 'failed', sent: true },
    { kind: 'failed', sent: false },
    { kind: 'pending' },
  );
  fc.assert(
    fc.property(fc.array(outcome, { minLength: 1, maxLength: 12 }), fc.nat(40), (outcomes, daysWaited) => {
      let step = asked(shipped(), after(paidAt, daysWaited * day));
      const ends: Step[] = [];
      let at = after(paidAt, daysWaited * day);
      for (const one of outcomes) {
        at = after(at, hour);
        step = answered({ instance: expire(step.instance, at).instance }, one, at);
        if (step.renewal) ends.push(step);
        if (step.instance.renewal === null) break;
      }
      expect(ends.length).toBeLessThanOrEqual(1);
      for (const { instance, renewal: ended } of ends) {
        const prolonged = instance.expiresAt?.getTime() !== oldExpiry.getTime();
        expect(prolonged).toBe(ended?.refused === undefined);
      }
    }),
  );
});
