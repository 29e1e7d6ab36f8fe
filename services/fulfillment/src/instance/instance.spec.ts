import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reachable } from '@yunshi/kernel/flow';
import { newId } from '@yunshi/kernel/ids';
import {
  awaitCase,
  begin,
  caseClosed,
  caseCompleted,
  caseOpened,
  expire,
  expiryOf,
  heard,
  instanceFlow,
  instanceIdOf,
  ofAllAttempts,
  release,
  resend,
  undeliverable,
} from './instance.ts';
import type { Asker, Instance, Order, Outcome, Step } from './instance.ts';
import { deliveryPolicy, waitMs } from './policy.ts';

const paidAt = new Date('2026-02-01T10:00:00+08:00');
const later = (ms: number, from = paidAt): Date => new Date(from.getTime() + ms);
const hour = 3_600_000;
const asker: Asker = { sagaId: 'sag_1', step: 'fulfil', direction: 'do', replyTo: 'order' };

function paid(changes: { kind?: Order['kind']; line?: Partial<Order['line']> } = {}): Order {
  return {
    orderId: newId('ord', paidAt),
    orderNumber: '20260201000001',
    accountId: newId('acc', paidAt),
    userId: newId('usr', paidAt),
    kind: changes.kind ?? 'new_purchase',
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
      unitPrice: 9900,
      amount: 9900,
      ...changes.line,
    },
  };
}

const delivered: Outcome = { kind: 'delivered', signId: 's1', access: 'sealed' };
const unreachable: Outcome = { kind: 'failed', sent: false };
const broken: Outcome = { kind: 'failed', sent: true };
const pending: Outcome = { kind: 'pending' };

const current = ({ task, callSeq }: Instance) => ({ task: task ?? ('create' as const), seq: callSeq });
const answer = (instance: Instance, outcome: Outcome, now: Date): Step => heard(instance, current(instance), outcome, now);

/** Plays a provider that answers the same thing to every call, each made when it may be; ends when nobody calls any more. */
function always(outcome: Outcome, start = begin(paid(), asker, paidAt)): { steps: Step[]; last: Step; at: Date } {
  const steps: Step[] = [start];
  let at = paidAt;
  let step = start;
  while (step.call !== undefined && step.call.task === 'create') {
    at = later(1_000, step.call.notBefore ?? at);
    step = answer(step.instance, outcome, at);
    steps.push(step);
    if (steps.length > 10_000) throw new Error('it never ends');
  }
  return { steps, last: step, at };
}

describe('a paid order', () => {
  test('of a SaaS product begins to be delivered, and the provider is asked at once', () => {
    const order = paid();
    expect(begin(order, asker, paidAt)).toMatchObject({
      instance: { instanceId: instanceIdOf(order.orderId), status: 'shipping', task: 'create', tries: 1, callSeq: 1, awaitedBy: asker },
      call: { task: 'create', notBefore: undefined },
    });
  });

  test('makes the same instance however often it is begun', () => {
    const order = paid();
    expect(instanceIdOf(order.orderId)).toBe(`ins_${order.orderId.slice(4)}`);
    expect(begin(order, asker, paidAt)).toEqual(begin(order, asker, paidAt));
  });

  test.each([
    ['a cloud image', paid({ line: { deliveryType: 'image' } }), true],
    ['a renewal', paid({ kind: 'renewal' }), true],
    ['a conversion', paid({ kind: 'trial_conversion' }), true],
    ['SaaS', paid(), false],
    ['an API package', paid({ line: { deliveryType: 'api' } }), false],
  ])('of %s: not deliverable here is %s', (_what, order, verdict) => {
    expect(undeliverable(order)).toBe(verdict);
  });
});

describe('what people deliver', () => {
  const caseId = newId('dlv', paidAt);
  const accepted = later(40 * 24 * hour);
  const human = begin(paid({ line: { deliveryType: 'human_service' } }), asker, paidAt);
  const withPeople = begin({ ...paid(), humanDelivery: true }, asker, paidAt);

  test.each([
    ['a human service', human],
    ['SaaS with human delivery', withPeople],
  ])('%s wants a case, calls nobody, and is 已发货 for its period when the case is accepted', (_what, begun) => {
    expect(begun).toMatchObject({ instance: { status: 'shipping', task: null, caseId: null }, wantsCase: true });
    expect(begun.call).toBeUndefined();
    const opened = caseOpened(begun.instance, caseId).instance;
    expect(awaitCase(opened)).toEqual({ instance: opened });
    const step = caseCompleted(opened, caseId, accepted);
    expect(step).toMatchObject({
      instance: {
        status: 'shipped',
        shippedAt: accepted,
        expiresAt: expiryOf({ periodCount: 1, periodUnit: 'month' }, undefined, accepted),
      },
      answer: { to: asker },
      happened: 'shipped',
    });
    expect(step.answer?.refused).toBeUndefined();
  });

  test('whose case is closed was not delivered: the saga is refused, and nobody is told to take anything back', () => {
    const step = caseClosed(caseOpened(human.instance, caseId).instance, caseId, accepted);
    expect(step).toMatchObject({ instance: { status: 'failed', failure: 'delivery-closed' }, answer: { refused: 'delivery-closed' } });
    expect(step.call).toBeUndefined();
  });

  test('goes on being wanted until a case is known', () => {
    expect(awaitCase(human.instance).wantsCase).toBe(true);
    expect(awaitCase(caseClosed(human.instance, caseId, accepted).instance).wantsCase).toBeUndefined();
  });

  test('is told when it expires by nobody but its event', () => {
    const { instance } = caseCompleted(human.instance, caseId, accepted);
    const step = expire(instance, instance.expiresAt!);
    expect(step).toMatchObject({ instance: { status: 'expired' }, happened: 'expired' });
    expect(step.call).toBeUndefined();
  });

  test('whatever is heard of cases, in whatever order: one answer, and that of the first end', () => {
    const heardOf = fc.constantFrom('opened', 'completed', 'closed', 'another completed', 'wanted');
    fc.assert(
      fc.property(fc.array(heardOf, { maxLength: 12 }), (news) => {
        let { instance } = human;
        const answers: Step[] = [];
        for (const one of news) {
          const step =
            one === 'opened'
              ? caseOpened(instance, caseId)
              : one === 'completed'
                ? caseCompleted(instance, caseId, accepted)
                : one === 'closed'
                  ? caseClosed(instance, caseId, accepted)
                  : one === 'wanted'
                    ? awaitCase(instance)
                    : instance.caseId === null
                      ? { instance }
                      : caseCompleted(instance, newId('dlv', accepted), accepted);
          if (step.answer) answers.push(step);
          instance = step.instance;
        }
        const first = news.find((one) => one === 'completed' || one === 'closed');
        expect(answers.length).toBe(first === undefined ? 0 : 1);
        expect(instance.status).toBe(first === undefined ? 'shipping' : first === 'completed' ? 'shipped' : 'failed');
      }),
    );
  });

  test('a case of nothing that waits for one changes nothing', () => {
    const { instance } = begin(paid(), asker, paidAt);
    expect(caseCompleted(instance, caseId, accepted)).toEqual({ instance });
    expect(caseClosed(instance, caseId, accepted)).toEqual({ instance });
  });
});

describe('the provider delivers', () => {
  test('and the instance is 已发货, with the answer to the saga and an expiry a calendar month ahead', () => {
    const step = answer(begin(paid(), asker, paidAt).instance, delivered, paidAt);
    expect(step).toMatchObject({
      instance: {
        status: 'shipped',
        signId: 's1',
        access: 'sealed',
        expiresAt: new Date('2026-03-01T10:00:00+08:00'),
        task: null,
        awaitedBy: null,
        version: 2,
      },
      answer: { to: asker },
      happened: 'shipped',
    });
    expect(step.answer?.refused).toBeUndefined();
    expect(step.call).toBeUndefined();
  });

  test('after two days of "0", and is not given up before', () => {
    let step = begin(paid(), asker, paidAt);
    let at = paidAt;
    while (at < later(48 * hour)) {
      at = step.call?.notBefore ?? at;
      step = answer(step.instance, pending, at);
      expect(step.answer).toBeUndefined();
    }
    expect(answer(step.instance, delivered, at)).toMatchObject({ instance: { status: 'shipped', pendingSince: null, tries: 0 } });
  });

  test('twice, because a call was made twice: the second answer changes nothing', () => {
    const shipped = answer(begin(paid(), asker, paidAt).instance, delivered, paidAt).instance;
    expect(heard(shipped, { task: 'create', seq: 1 }, { ...delivered, signId: 's2' }, later(1))).toEqual({ instance: shipped });
  });

  test('in answer to a call that was overtaken by a newer one', () => {
    const first = begin(paid(), asker, paidAt).instance;
    const again = resend(first, 'create', later(5))?.instance ?? first;
    expect(heard(again, { task: 'create', seq: 1 }, delivered, later(9))).toMatchObject({ instance: { status: 'shipped' } });
  });
});

describe('patience', () => {
  test('errors are borne for three hours, the last try falls on the limit, then the order is refused', () => {
    const { steps, last, at } = always(broken);
    expect(last).toMatchObject({
      instance: { status: 'failed', failure: 'provider-failed' },
      answer: { to: asker, refused: 'provider-failed' },
    });
    const lasted = at.getTime() - paidAt.getTime();
    expect(lasted).toBeGreaterThanOrEqual(deliveryPolicy.failingMsMax);
    expect(lasted).toBeLessThan(deliveryPolicy.failingMsMax + 10_000);
    expect(steps.length).toBeGreaterThan(30);
    expect(steps.length).toBeLessThan(120);
  });

  test('"0" is borne for seventy-two hours', () => {
    const { last, at, steps } = always(pending);
    expect(last).toMatchObject({ instance: { status: 'failed' }, answer: { refused: 'provider-never-delivered' } });
    expect(at.getTime() - paidAt.getTime()).toBeGreaterThanOrEqual(deliveryPolicy.pendingMsMax);
    expect(steps.length).toBeLessThan(700);
  });

  test('a "0" ends a run of errors: only an unbroken one counts', () => {
    let { instance } = begin(paid(), asker, paidAt);
    instance = answer(instance, broken, paidAt).instance;
    instance = answer(instance, pending, later(2.9 * hour)).instance;
    expect(instance.failingSince).toBeNull();
    expect(answer(instance, broken, later(3.1 * hour))).toMatchObject({ instance: { status: 'shipping' } });
  });

  test('the wait grows and never exceeds its maximum', () => {
    const waits = Array.from({ length: 30 }, (_, index) => waitMs(deliveryPolicy.backOff, index + 1, 'ins_x'));
    expect(waits[0]).toBeLessThan(3_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(deliveryPolicy.backOff.msMax * 1.1);
    expect(waitMs(deliveryPolicy.backOff, 5, 'ins_x')).not.toBe(waitMs(deliveryPolicy.backOff, 5, 'ins_y'));
  });
});

describe('one instance or one refund', () => {
  test('a call that was begun twice may have arrived, although the second time nothing was sent', () => {
    expect(ofAllAttempts(unreachable, 1)).toEqual(unreachable);
    expect(ofAllAttempts(unreachable, 2)).toEqual(broken);
    expect(ofAllAttempts({ kind: 'pending' }, 2)).toEqual({ kind: 'pending' });
  });

  test('a provider that was reached is told to take back what it may have made', () => {
    expect(always(broken).last).toMatchObject({ instance: { task: 'destroy', signId: null, awaitedBy: null }, call: { task: 'destroy' } });
    expect(always(pending).last).toMatchObject({ call: { task: 'destroy' } });
  });

  test('a provider that was never reached is told nothing', () => {
    const { last } = always(unreachable);
    expect(last).toMatchObject({ instance: { status: 'failed', task: null }, answer: { refused: 'provider-failed' } });
    expect(last.call).toBeUndefined();
  });

  test('a delivery after the refund is taken back by its own id, and is not shown to the buyer', () => {
    const { instance } = always(broken).last;
    const step = heard(instance, { task: 'create', seq: 1 }, delivered, later(4 * hour));
    expect(step).toMatchObject({ instance: { status: 'failed', access: null, signId: 's1', task: 'destroy' }, call: { task: 'destroy' } });
    expect(step.answer).toBeUndefined();
  });

  test('an answer after the refund that may hide an instance is taken back too', () => {
    const { instance } = always(unreachable).last;
    expect(heard(instance, { task: 'create', seq: 1 }, broken, later(4 * hour))).toMatchObject({ call: { task: 'destroy' } });
  });

  const outcomes = fc.constantFrom(delivered, unreachable, broken, pending, { kind: 'declined' } as Outcome, { kind: 'agreed' } as Outcome);
  const events = fc.array(
    fc.record({ outcome: outcomes, stale: fc.boolean(), waitMs: fc.integer({ min: 0, max: 12 * hour }), resent: fc.boolean() }),
    { maxLength: 60 },
  );

  test('whatever the provider answers, in whatever order: at most one answer, and never both', () => {
    fc.assert(
      fc.property(events, (happenings) => {
        let { instance } = begin(paid(), asker, paidAt);
        let at = paidAt;
        const answers: Step['answer'][] = [];
        let toldToTakeBack = false;
        for (const { outcome, stale, waitMs: wait, resent } of happenings) {
          at = later(wait, at);
          const step = resent
            ? (resend(instance, 'create', at) ?? { instance })
            : heard(instance, stale ? { task: 'create', seq: 1 } : current(instance), outcome, at);
          if (step.answer !== undefined) answers.push(step.answer);
          toldToTakeBack ||= step.call?.task === 'destroy';
          instance = step.instance;
        }
        expect(answers.length).toBeLessThanOrEqual(1);
        expect(instance.awaitedBy === null).toBe(answers.length === 1);
        expect(instance.status === 'failed').toBe(answers[0]?.refused !== undefined);
        expect(instance.access !== null).toBe(instance.status === 'shipped');
        expect(toldToTakeBack).toBe(instance.status === 'failed' && instance.mayExist);
      }),
    );
  });

  test('every delivery ends, whatever the provider does', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.constantFrom(unreachable, broken, pending)), (answers) => {
        let step = begin(paid(), asker, paidAt);
        let at = paidAt;
        let calls = 0;
        for (const outcome of answers) {
          if (step.call?.task !== 'create') break;
          at = later(5_000, step.call.notBefore ?? at);
          step = answer(step.instance, outcome, at);
          calls++;
        }
        expect(step.instance.status).toBe('failed');
        expect(at.getTime() - paidAt.getTime()).toBeLessThan(deliveryPolicy.pendingMsMax + deliveryPolicy.failingMsMax + hour);
        expect(calls).toBeLessThan(2_000);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the end of an instance', () => {
  const shipped = answer(begin(paid(), asker, paidAt).instance, delivered, paidAt).instance;
  const expiresAt = new Date('2026-03-01T10:00:00+08:00');

  test('comes at its expiry, and the provider is told to isolate it', () => {
    expect(expire(shipped, later(-1, expiresAt))).toEqual({ instance: shipped });
    expect(expire(shipped, expiresAt)).toMatchObject({ instance: { status: 'expired' }, call: { task: 'expire' }, happened: 'expired' });
  });

  test('is final seven days later: the provider reclaims it and the credentials are gone', () => {
    const { instance } = expire(shipped, expiresAt);
    expect(release(instance, later(7 * 24 * hour - 1, expiresAt))).toEqual({ instance });
    expect(release(instance, later(7 * 24 * hour, expiresAt))).toMatchObject({
      instance: { status: 'closed', access: null, signId: 's1' },
      call: { task: 'destroy' },
      happened: 'closed',
    });
  });

  test('comes once: an expiry or a release that arrives again does nothing', () => {
    const { instance } = expire(shipped, expiresAt);
    expect(expire(instance, expiresAt)).toEqual({ instance });
    const closed = release(instance, later(8 * 24 * hour, expiresAt)).instance;
    expect(release(closed, later(9 * 24 * hour, expiresAt))).toEqual({ instance: closed });
  });

  test('of an API instance tells nobody', () => {
    const api = answer(
      begin(paid({ line: { deliveryType: 'api' } }), asker, paidAt).instance,
      { kind: 'delivered', access: 'sealed', validDays: 30 },
      paidAt,
    ).instance;
    const step = expire(api, expiresAt);
    expect(step.instance.status).toBe('expired');
    expect(step.call).toBeUndefined();
  });

  test.each([[{ kind: 'declined' } as Outcome], [broken], [unreachable]])(
    'a provider that answers %j to it is told again for three days, then left to a person',
    (outcome) => {
      let step = expire(shipped, expiresAt);
      let at = expiresAt;
      while (step.call !== undefined) {
        at = step.call.notBefore ?? at;
        step = answer(step.instance, outcome, at);
      }
      expect(at.getTime() - expiresAt.getTime()).toBe(deliveryPolicy.tellingMsMax);
      expect(step.instance).toMatchObject({ status: 'expired', task: null });
      expect(resend(step.instance, 'expire', at)).toMatchObject({ call: { task: 'expire' } });
    },
  );

  test('once agreed is not asked for again', () => {
    const step = answer(expire(shipped, expiresAt).instance, { kind: 'agreed' }, expiresAt);
    expect(step.call).toBeUndefined();
    expect(step.instance.task).toBeNull();
  });
});

describe('a person may re-send', () => {
  const shipping = begin(paid(), asker, paidAt).instance;
  const shipped = answer(shipping, delivered, paidAt).instance;

  test.each([
    ['create while it is 发货中', shipping, 'create' as const, true],
    ['create once it is 已发货', shipped, 'create' as const, false],
    ['expire before it has expired', shipped, 'expire' as const, false],
    ['destroy while it is used', shipped, 'destroy' as const, false],
    ['destroy after a refund', always(broken).last.instance, 'destroy' as const, true],
    ['destroy of what never existed', always(unreachable).last.instance, 'destroy' as const, false],
    ['create of an API key', begin(paid({ line: { deliveryType: 'api' } }), asker, paidAt).instance, 'create' as const, false],
  ])('%s: %s', (_what, instance, task, verdict) => {
    expect(resend(instance, task, later(hour)) !== undefined).toBe(verdict);
  });

  test('which calls at once and does not shorten the provider’s time', () => {
    const failing = answer(shipping, broken, later(1_000)).instance;
    const step = resend(failing, 'create', later(2_000));
    expect(step?.call).toEqual({ task: 'create', notBefore: undefined });
    expect(step?.instance.failingSince).toEqual(failing.failingSince);
  });
});

describe('the period that was bought', () => {
  test.each([
    [1, 'month', '2026-02-01T10:00:00+08:00', '2026-03-01T10:00:00+08:00'],
    [1, 'month', '2026-01-31T10:00:00+08:00', '2026-02-28T10:00:00+08:00'],
    [1, 'month', '2028-01-31T10:00:00+08:00', '2028-02-29T10:00:00+08:00'],
    [12, 'month', '2026-08-31T00:30:00+08:00', '2027-08-31T00:30:00+08:00'],
    [1, 'year', '2028-02-29T10:00:00+08:00', '2029-02-28T10:00:00+08:00'],
    [7, 'day', '2026-02-26T10:00:00+08:00', '2026-03-05T10:00:00+08:00'],
    // 23:30 UTC on the 31st is already the 1st in China.
    [1, 'month', '2026-01-31T23:30:00Z', '2026-02-28T23:30:00Z'],
  ] as const)('%i %s from %s ends %s', (periodCount, periodUnit, from, until) => {
    expect(expiryOf({ periodCount, periodUnit }, undefined, new Date(from))).toEqual(new Date(until));
  });

  test('may have no end, or the end of its package', () => {
    expect(expiryOf({ periodCount: null, periodUnit: null }, undefined, paidAt)).toBeNull();
    expect(expiryOf({ periodCount: null, periodUnit: null }, 30, paidAt)).toEqual(later(30 * 24 * hour));
  });
});

test('every status can be reached', () => {
  expect([...reachable(instanceFlow, 'shipping')].sort()).toEqual([...instanceFlow.states].sort());
});
