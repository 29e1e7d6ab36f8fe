import { newId } from '@yunshi/kernel/ids';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { begin, expire, heard, release, type Instance } from '../instance/instance.ts';
import { renew } from '../instance/renewal.ts';
import { disputed } from '../instance/suspension.ts';
import { isRetired, issue, rotate, setStatus, withFirstKey } from './access.ts';
import { accessChanged } from './news.ts';
import { keyPolicy } from './policy.ts';

const at = new Date('2026-03-02T10:00:00+08:00');
const later = (ms: number) => new Date(at.getTime() + ms);
const day = 86_400_000;
const asker = { sagaId: 'sag_1', step: 'fulfil', direction: 'do' as const, replyTo: 'order' };
const line = {
  skuId: newId('sku', at),
  productId: newId('prd', at),
  providerId: newId('prv', at),
  deliveryType: 'api' as const,
  quantity: 1,
  pack: { calls: 100, validDays: 30 },
  unitPrice: 990,
  amount: 990,
};
const key = (secretId: string) => ({ secretId, secretKey: `sealed ${secretId}` });

function delivered(): Instance {
  const who = { orderId: newId('ord', at), orderNumber: 'N1', accountId: newId('acc', at), userId: newId('usr', at) };
  const what = { kind: 'new_purchase' as const, productName: '票据识别', skuName: '100 次', isTrial: false, humanDelivery: false };
  const { instance } = begin({ ...who, ...what, line }, asker, at);
  const keyed = withFirstKey(instance, key('first'), 7, at);
  return heard(keyed, { task: 'create', seq: 1 }, { kind: 'delivered', access: 'sealed', validDays: keyed.api!.validDays! }, at).instance;
}
const renewal = (instance: Instance) => ({
  orderId: newId('ord', at),
  accountId: instance.accountId,
  kind: 'renewal' as const,
  skuName: '100 次',
  line,
});
const sure = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(String(result.error));
  return result.value;
};

test('a package is delivered with what its order said: calls, days and one pair of keys', () => {
  const instance = delivered();
  expect(instance.api).toMatchObject({ calls: 100, keys: [{ secretId: 'first', status: 'active', validUntil: null }] });
  expect(instance.expiresAt).toEqual(later(30 * day));
  expect(withFirstKey(instance, key('again'), 7, at)).toBe(instance);
});

test('topping up brings calls and days, also in the days of grace, and what was not paid in the end is taken back', () => {
  const over = expire(delivered(), later(31 * day)).instance;
  expect(over.status).toBe('expired');
  const { instance, renewal: ended } = renew(over, renewal(over), asker, later(31 * day))!;
  expect(instance).toMatchObject({ status: 'shipped', api: { calls: 200 }, expiresAt: later(60 * day) });
  expect(ended).toMatchObject({ calls: 100 });
  const unpaid = { orderId: newId('ord', at), suspendedAt: at, outcome: 'ended' as const, endedAt: null, kind: 'renewal' as const };
  const { step } = disputed(instance, [{ ...unpaid, broughtMs: 30 * day, broughtCalls: 100 }], later(32 * day));
  expect(step).toMatchObject({ happened: 'shortened', instance: { api: { calls: 100 }, expiresAt: later(30 * day) } });
});

test('a rotated pair counts for the overlap, and is neither rotated nor enabled after it', () => {
  const rotated = sure(rotate(delivered(), 'first', key('second'), at));
  const [first, second] = rotated.api!.keys;
  expect([isRetired(first!, later(keyPolicy.overlapMs - 1)), isRetired(first!, later(keyPolicy.overlapMs))]).toEqual([false, true]);
  expect(second).toMatchObject({ secretId: 'second', validUntil: null });
  expect(rotate(rotated, 'first', key('third'), at)).toEqual({ ok: false, error: 'api-key-retired' });
  expect(setStatus(rotated, 'first', 'active', later(keyPolicy.overlapMs))).toEqual({ ok: false, error: 'api-key-retired' });
  expect(rotate(rotated, 'nobody', key('third'), at)).toEqual({ ok: false, error: 'api-key-not-found' });
});

test('each change of the keys is a new version, of which the gateway is told whole', () => {
  const before = delivered();
  const disabled = sure(setStatus(before, 'first', 'disabled', at));
  expect(disabled.version).toBe(before.version + 1);
  expect(accessChanged(disabled)).toMatchObject([
    { data: { instanceVersion: disabled.version, isUsable: true, callsBought: 100, keys: [{ secretId: 'first', status: 'disabled' }] } },
  ]);
  expect(accessChanged({ ...before, suspendedAt: at })).toMatchObject([{ data: { isUsable: false } }]);
});

test('a closed instance has no secrets any more, and no keys to be changed', () => {
  const closed = release(expire(delivered(), later(31 * day)).instance, later(38 * day)).instance;
  expect(accessChanged(closed)).toMatchObject([{ data: { isUsable: false, keys: [{ secretKey: null }] } }]);
  expect(issue(closed, key('x'), at)).toEqual({ ok: false, error: 'api-keys-not-usable' });
});

test('whatever is done to the keys, no more than the limit count, and the list does not grow for ever', () => {
  const act = fc.record({ what: fc.constantFrom('issue', 'rotate', 'disable', 'enable'), which: fc.nat(30), afterMs: fc.nat(2 * day) });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      let instance = delivered();
      let now = at;
      acts.forEach(({ what, which, afterMs }, index) => {
        now = new Date(now.getTime() + afterMs);
        const { keys } = instance.api!;
        const { secretId } = keys[which % keys.length]!;
        const done =
          what === 'issue'
            ? issue(instance, key(`k${index}`), now)
            : what === 'rotate'
              ? rotate(instance, secretId, key(`k${index}`), now)
              : setStatus(instance, secretId, what === 'disable' ? 'disabled' : 'active', now);
        if (done.ok) instance = done.value;
        const counting = instance.api!.keys.filter((one) => !isRetired(one, now) && one.validUntil === null);
        expect(counting.length).toBeLessThanOrEqual(keyPolicy.keysMax);
        expect(instance.api!.keys.length).toBeLessThanOrEqual(keyPolicy.keysMax * 2 + keyPolicy.retiredKept);
        expect(new Set(instance.api!.keys.map((one) => one.secretId)).size).toBe(instance.api!.keys.length);
      });
    }),
  );
});
