import type { SkuSnapshot } from '@yunshi/contracts/catalog';
import { newId } from '@yunshi/kernel/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Exchange } from '../delivery/request.ts';
import { begin, checkPolicy, checkSteps, heard, meteringOf, requestOf } from './check.ts';
import type { Check, CheckOutcome, CheckStep, Progress } from './check.ts';
import { checkEnded, firstProbeAt, isChecked, probed, publish, setDebug, startCheck, unset } from './endpoint.ts';

const now = new Date('2026-03-02T04:00:00Z');
const later = (ms: number) => new Date(now.getTime() + ms);
const productId = newId('prd', now);
const providerId = newId('prv', now);
const formal: SkuSnapshot = {
  skuId: newId('sku', now),
  name: '专业版',
  price: { model: 'per_quantity', price: 100, minimum: 5, maximum: 9, unit: 'month', durations: [3] },
  onSale: true,
};
const metered: SkuSnapshot = { ...formal, skuId: newId('sku', now), name: '流量版', onSale: false, flow: { amount: 2_000, unit: 'Mb' } };
const trial: SkuSnapshot = {
  skuId: newId('sku', now),
  name: '体验版',
  price: { model: 'per_period', price: 0, unit: 'day', durations: [7] },
  trialOf: formal.skuId,
  onSale: true,
};
const product = (skus: readonly SkuSnapshot[]) => ({
  productId,
  productVersion: 1,
  providerId,
  providerName: '云上软件',
  name: '云表单',
  deliveryType: 'saas' as const,
  humanDelivery: false,
  skus,
});
const ids = () => ({
  checkId: newId('chk', now),
  startedBy: newId('usr', now),
  accountId: newId('acc', now),
  orders: { creation: newId('ord', now), conversion: newId('ord', now), renewal: newId('ord', now) },
});
const checkOf = (skus: readonly SkuSnapshot[] = [formal], seq = 1): Check => begin({ product: product(skus), ...ids() }, seq, now);
const exchange: Exchange = { performedAt: now.toISOString(), durationMs: 3 };

const good = (step: CheckStep): CheckOutcome => {
  if (step === 'verify') return { kind: 'verified' };
  return step.startsWith('create') ? { kind: 'delivered', signId: 's1' } : { kind: 'agreed' };
};
/** Plays a check to its end, each step answered by `say`; what was called is in `called`. */
function play(check: Check, say: (step: CheckStep, tries: number) => CheckOutcome): { ended: Progress; called: CheckStep[] } {
  const called: CheckStep[] = [];
  let progress: Progress = { check, next: {} };
  let at = now;
  while (progress.ended === undefined) {
    called.push(progress.check.step);
    if (called.length > 200) throw new Error('the check does not end');
    at = progress.next?.notBefore ?? at;
    progress = heard(progress.check, say(progress.check.step, progress.check.tries), exchange, at);
  }
  return { ended: progress, called };
}

describe('an online check', () => {
  test('plays a purchase from the first call to the last, and passes where all of them do', () => {
    const { ended, called } = play(checkOf(), good);
    expect(called).toEqual(['verify', 'create', 'create-again', 'renew', 'expire', 'destroy']);
    expect(ended.ended).toBe('passed');
    expect(ended.check.results.map(({ step, passed }) => [step, passed])).toEqual(called.map((step) => [step, true]));
  });

  test('of a product that can be tried begins with the trial and makes it formal', () => {
    const { called } = play(checkOf([trial, formal]), good);
    expect(called).toEqual(['verify', 'create', 'create-again', 'convert', 'renew', 'expire', 'destroy']);
    const check = checkOf([trial, formal]);
    const asked = (step: CheckStep) => requestOf({ ...check, step, signId: 's1' }, { productId, providerId }, now);
    expect(asked('create')).toMatchObject({ task: 'create', isTrial: true, skuId: trial.skuId, period: { count: 7, unit: 'day' } });
    expect(asked('convert')).toMatchObject({ task: 'convert', isTrial: false, skuId: formal.skuId, quantity: 5, signId: 's1' });
    expect(asked('create-again')?.orderId).toBe(asked('create')?.orderId);
    expect(new Set([asked('create'), asked('convert'), asked('renew')].map((request) => request?.orderId)).size).toBe(3);
  });

  test('of a metered product asks what is used and sets what to warn at, also where the SKU is not on sale yet', () => {
    const check = checkOf([formal, metered, trial]);
    const { ended, called } = play(check, good);
    expect(called).toEqual(checkSteps);
    expect(ended.ended).toBe('passed');
    const { accountId } = check;
    const of = { accountId, instanceId: expect.stringMatching(/^ins_/) as string, signId: 's1', counts: 'Mb' };
    expect(meteringOf({ ...check, step: 'query-usage', signId: 's1' })).toEqual(of);
    const alert = { on: true, span: '200', unit: 'Mb' };
    expect(meteringOf({ ...check, step: 'set-usage-reminder', signId: 's1' })).toEqual({ ...of, alert });
    const create = requestOf({ ...checkOf([formal, metered]), step: 'create' }, { productId, providerId }, now);
    expect(create).toMatchObject({ skuId: metered.skuId, flow: metered.flow });
  });

  test('of a metered product whose provider does not tell fails, and takes back what it made', () => {
    const { ended, called } = play(checkOf([metered]), (step) => (step === 'query-usage' ? { kind: 'declined' } : good(step)));
    expect(called).toEqual(['verify', 'create', 'create-again', 'query-usage', 'destroy']);
    expect(ended.ended).toBe('failed');
  });

  test('fails where the same order makes a second instance', () => {
    let made = 0;
    const { ended, called } = play(checkOf(), (step) =>
      step.startsWith('create') ? { kind: 'delivered', signId: `s${++made}` } : good(step),
    );
    expect(ended.ended).toBe('failed');
    expect(called).toEqual(['verify', 'create', 'create-again', 'destroy']);
    expect(ended.check.results[2]?.exchange.note).toBe('the same order made another instance');
  });

  test('asks again while the answer is "0", for ten minutes', () => {
    const patient = play(checkOf(), (step, tries) => (step === 'create' && tries < 4 ? { kind: 'pending' } : good(step)));
    expect(patient.ended.ended).toBe('passed');
    const never = play(checkOf(), (step) => (step === 'create' ? { kind: 'pending' } : good(step)));
    expect(never.ended.ended).toBe('failed');
    expect(never.called.at(-1)).toBe('destroy');
    expect(never.called.length).toBeLessThan(30);
  });

  test('takes back whatever may have been made, and nothing else', () => {
    const failsAt = (at: CheckStep, sent: boolean) =>
      play(checkOf(), (step) => (step === at ? { kind: 'failed', sent } : good(step))).called.join(' ');
    expect(failsAt('verify', true)).toBe('verify');
    expect(failsAt('create', false)).toBe('verify create');
    expect(failsAt('create', true)).toBe('verify create destroy');
    expect(failsAt('renew', false)).toBe('verify create create-again renew destroy');
    expect(failsAt('destroy', true)).toBe('verify create create-again renew expire destroy');
  });

  test('ends whatever is answered, passes only where every step has, and never leaves behind what it made', () => {
    const outcome = fc.oneof(
      fc.record({ kind: fc.constantFrom('verified' as const, 'delivered' as const), signId: fc.constantFrom('a', 'b', undefined) }),
      fc.record({ kind: fc.constantFrom('pending' as const, 'agreed' as const, 'declined' as const) }),
      fc.record({ kind: fc.constant('failed' as const), sent: fc.boolean() }),
    );
    // Seven calls must go well for a check to pass: most do.
    const mostlyGood = fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: outcome });
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.boolean(), fc.infiniteStream(mostlyGood), (isTried, said) => {
        const { ended, called } = play(checkOf(isTried ? [trial, formal] : [formal]), (step) => said.next().value ?? good(step));
        seen.add(ended.ended ?? '');
        const { results, mayExist, steps } = ended.check;
        expect(ended.ended === 'passed').toBe(steps.every((step) => results.some((result) => result.step === step && result.passed)));
        expect(mayExist && called.at(-1) !== 'destroy').toBe(false);
      }),
    );
    expect(seen).toEqual(new Set(['passed', 'failed']));
  });
});

describe('an endpoint', () => {
  const unmetered = { isMetered: false };
  const address = { dialect: 'tencent-saas', url: 'https://a.example/deliver', token: 'sealed' };
  const sure = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
    if (!result.ok) throw new Error(String(result.error));
    return result.value;
  };
  const set = (endpoint = unset(productId, providerId), url = address.url) => sure(setDebug(endpoint, { ...address, url }, now));
  const passed = (endpoint = set()) => checkEnded(endpoint, checkOf([formal], endpoint.debugSeq), 'passed');

  test('is published only once what is set now has passed its check', () => {
    expect(publish(set(), unmetered, now)).toEqual({ ok: false, error: 'not-checked' });
    expect(publish(checkEnded(set(), checkOf(), 'failed'), unmetered, now)).toMatchObject({ ok: false });
    expect(publish(passed(), unmetered, now)).toMatchObject({ ok: true, value: { ...address, publishedAt: now } });
  });

  test('that is set anew has to pass anew, while deliveries go on to the old address', () => {
    const moved = set(sure(publish(passed(), unmetered, now)), 'https://b.example/deliver');
    expect(isChecked(moved)).toBe(false);
    expect(moved.url).toBe(address.url);
    expect(publish(moved, unmetered, now)).toMatchObject({ ok: false });
    expect(publish(passed(moved), unmetered, now)).toMatchObject({ ok: true, value: { url: 'https://b.example/deliver' } });
  });

  test('that passed once and fails now is not published any more', () => {
    expect(publish(checkEnded(passed(), checkOf(), 'failed'), unmetered, now)).toMatchObject({ ok: false });
  });

  test('of a product that is metered since its check is published only after another one, which asks for usage', () => {
    const isMetered = { isMetered: true };
    expect(publish(passed(), isMetered, now)).toEqual({ ok: false, error: 'not-checked' });
    const asked = checkEnded(set(), checkOf([metered]), 'passed');
    expect(publish(asked, isMetered, now)).toMatchObject({ ok: true, value: { isMetering: true } });
    expect(publish(passed(asked), unmetered, now)).toMatchObject({ ok: true, value: { isMetering: false } });
    expect(publish(checkEnded(asked, checkOf([metered]), 'failed'), isMetered, now)).toMatchObject({ ok: false });
  });

  test('is checked once at a time, and stays where it is meanwhile, unless the check has been lost', () => {
    const checked = sure(startCheck(set(), (seq) => checkOf([formal], seq), now));
    expect(startCheck(checked, () => checkOf(), now)).toEqual({ ok: false, error: 'check-running' });
    expect(setDebug(checked, address, now)).toEqual({ ok: false, error: 'check-running' });
    expect(startCheck(checked, () => checkOf(), later(checkPolicy.silentMsMax + 1))).toMatchObject({ ok: true });
  });

  test('is failing from its first failed probe until one succeeds', () => {
    const first = probed(passed(), { ok: false, note: 'timeout' }, now);
    const second = probed(first, { ok: false }, later(1));
    expect(second).toMatchObject({ failingSince: now, probedAt: later(1) });
    expect(probed(second, { ok: true }, later(2))).toMatchObject({ failingSince: null, probeNote: null, probedAt: later(2) });
  });

  test('is probed for the first time within half a day', () => {
    const wait = firstProbeAt({ productId }, now).getTime() - now.getTime();
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(12 * 3_600_000);
  });
});
