import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId } from '@yunshi/kernel/ids';
import { begin, expire, heard, release, releaseAt } from './instance.ts';
import type { Asker, Instance, Outcome, Step, Task } from './instance.ts';
import { heardOfRenewal, renew } from './renewal.ts';

/*
 * A provider, its instance, and orders to renew it that come at any time: between expiry and release, while the provider is being told, while it
 * does not answer. What the provider has in the end is what the marketplace says of it.
 */

const boughtAt = new Date('2026-02-01T10:00:00+08:00');
const hour = 3_600_000;
const asker: Asker = { sagaId: 'sag_1', step: 'fulfil', direction: 'do', replyTo: 'order' };
const line = {
  skuId: newId('sku', boughtAt),
  productId: newId('prd', boughtAt),
  providerId: newId('prv', boughtAt),
  deliveryType: 'saas' as const,
  quantity: 1,
  period: { count: 1, unit: 'month' as const },
  unitPrice: 9_900,
  amount: 9_900,
};

type Call = { readonly task: Task; readonly seq: number; readonly at: Date; onItsWay?: Answer; sent?: Outcome };
const answers = ['agrees', 'declines', 'fails', 'is not reached'] as const;
type Answer = (typeof answers)[number];
type Has = 'active' | 'isolated' | 'destroyed';

class Life {
  now = boughtAt;
  instance: Instance;
  has: Has = 'active';
  calls: Call[] = [];
  /** Orders to renew: what became of each. */
  readonly orders = new Map<string, 'asked' | 'renewed' | 'refunded'>();
  /** True once a renewal was agreed on what the provider had destroyed. */
  renewedWhatWasGone = false;

  constructor() {
    const order = {
      orderId: newId('ord', boughtAt),
      orderNumber: '20260201000001',
      accountId: newId('acc', boughtAt),
      userId: newId('usr', boughtAt),
      kind: 'new_purchase' as const,
      productName: '云表单',
      skuName: '专业版',
      isTrial: false,
      humanDelivery: false,
      line,
    };
    const begun = begin(order, asker, boughtAt).instance;
    this.instance = heard(begun, { task: 'create', seq: 1 }, { kind: 'delivered', signId: 's1', access: 'sealed' }, boughtAt).instance;
    // The last hour of its month.
    this.now = new Date(this.instance.expiresAt!.getTime() - hour);
  }

  take(step: Step): void {
    this.instance = step.instance;
    if (step.call) this.calls.push({ task: step.call.task, seq: this.instance.callSeq, at: step.call.notBefore ?? this.now });
    const { renewal } = step;
    if (!renewal) return;
    if (this.orders.get(renewal.orderId) !== 'asked') throw new Error('a renewal ended twice, or was never asked for');
    this.orders.set(renewal.orderId, renewal.refused === undefined ? 'renewed' : 'refunded');
    if (renewal.refused === undefined && this.has === 'destroyed') this.renewedWhatWasGone = true;
  }

  order(): void {
    const orderId = newId('ord', this.now);
    this.orders.set(orderId, 'asked');
    const { accountId } = this.instance;
    const step = renew(this.instance, { orderId, accountId, kind: 'renewal', skuName: '专业版', line }, asker, this.now);
    if (step) this.take(step);
    else this.orders.set(orderId, 'refunded');
  }

  /** The oldest call that is due leaves, unless a newer one has taken its stead. */
  send(answer: Answer): void {
    const call = this.calls.find((one) => !one.onItsWay && !one.sent && one.at <= this.now);
    if (!call) return;
    if (call.seq < this.instance.callSeq || answer === 'is not reached') call.sent = { kind: 'failed', sent: false };
    else call.onItsWay = answer;
  }

  /** The provider gets a call that is on its way: what left last may come first. */
  arrive(which: 'first' | 'last'): void {
    const onTheirWay = this.calls.filter((one) => one.onItsWay);
    const call = which === 'first' ? onTheirWay[0] : onTheirWay.at(-1);
    if (!call) return;
    const answer = call.onItsWay;
    delete call.onItsWay;
    if (answer === 'declines') {
      call.sent = { kind: 'declined' };
      return;
    }
    const wanted = { create: 'active', renew: 'active', convert: 'active', expire: 'isolated', destroy: 'destroyed' } as const;
    if (this.has !== 'destroyed') this.has = wanted[call.task];
    call.sent = answer === 'agrees' ? { kind: 'agreed' } : { kind: 'failed', sent: true };
  }

  hear(): void {
    const call = this.calls.find((one) => one.sent);
    if (!call?.sent) return;
    this.calls = this.calls.filter((one) => one !== call);
    const hearing = call.task === 'renew' ? heardOfRenewal : heard;
    this.take(hearing(this.instance, call, call.sent, this.now));
  }

  pass(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  /** The deadlines, as late as they may come. */
  ring(): void {
    this.take(expire(this.instance, this.now));
    this.take(release(this.instance, this.now));
  }

  /** A provider that does what it is told from now on, and nobody who orders. */
  settle(): void {
    this.ring();
    for (let nth = 0; this.calls.length > 0; nth++) {
      if (nth > 500) throw new Error('it never ends');
      this.pass(hour / 6);
      this.ring();
      this.send('agrees');
      this.arrive('first');
      this.hear();
    }
  }
}

const happening = fc.oneof(
  fc.constant({ what: 'order' as const }),
  fc.record({ what: fc.constant('send' as const), answer: fc.constantFrom(...answers) }),
  fc.record({ what: fc.constant('arrive' as const), which: fc.constantFrom('first' as const, 'last' as const) }),
  fc.constant({ what: 'hear' as const }),
  fc.constant({ what: 'ring' as const }),
  fc.record({ what: fc.constant('pass' as const), hours: fc.constantFrom(0.01, 0.1, 1, 24, 3 * 24, 7 * 24) }),
);

test('whenever it is renewed, the provider has in the end what the buyer was told, and nothing is paid for that is gone', () => {
  const ends = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 80, size: 'max' }), (happenings) => {
      const life = new Life();
      for (const one of happenings) {
        if (one.what === 'order') life.order();
        if (one.what === 'send') life.send(one.answer);
        if (one.what === 'arrive') life.arrive(one.which);
        if (one.what === 'hear') life.hear();
        if (one.what === 'ring') life.ring();
        if (one.what === 'pass') life.pass(one.hours * hour);
      }
      life.settle();
      const { instance } = life;
      expect(life.renewedWhatWasGone).toBe(false);
      expect([...life.orders.values()]).not.toContain('asked');
      const { status } = instance;
      expect(status === 'shipped' && life.has !== 'active').toBe(false);
      expect(status === 'expired' && releaseAt(instance.expiresAt!) <= life.now && instance.renewal === null).toBe(false);
      // Told for three days and then left to a person, the provider may keep what it did not want to hear of; but never the other way round.
      expect(life.has === 'destroyed' && status !== 'closed').toBe(false);
      expect(life.has === 'isolated' && status !== 'expired' && status !== 'closed').toBe(false);
      for (const end of [...life.orders.values(), status]) ends.set(end, (ends.get(end) ?? 0) + 1);
    }),
    { numRuns: 2_000 },
  );
  // The property was about something.
  expect(['renewed', 'refunded', 'shipped', 'expired', 'closed'].filter((end) => (ends.get(end) ?? 0) <= 5)).toEqual([]);
});
