import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PriceModel } from '@yunshi/contracts/catalog';
import { demoProducts } from '@yunshi/contracts/demo-world';
import { reachable } from '@yunshi/kernel/flow';
import { fanyingShelf } from '../demo/fanying.ts';
import { changeOf, create, edit, offer, priceFrom, productFlow, publish, shelve, type Edition, type ProductDraft } from './product.ts';

const now = new Date('2026-03-02T04:00:00Z');
const helpDesk = fanyingShelf[0]!.draft;
const checked = { isPublished: true, isMetering: false };
const unchecked = { isPublished: false, isMetering: false };
const metering = { isPublished: true, isMetering: true };
const skus = demoProducts.helpDesk.skus;

const refused = (changes: Partial<ProductDraft>) => {
  const result = publish({ ...helpDesk, ...changes }, checked, now);
  return result.ok || result.error.code !== 'draft-invalid' ? [] : result.error.issues.map(({ field }) => field);
};
const priced = (price: PriceModel): Partial<ProductDraft> => ({ skus: [{ skuId: skus.basic, name: '基础版', price, onSale: true }] });
const perMonth: PriceModel = { model: 'per_period', price: 19_900, unit: 'month', durations: [1] };

test('a product is published with version 1', () => {
  expect(publish(helpDesk, checked, now)).toMatchObject({
    ok: true,
    value: { ...helpDesk, productVersion: 1, status: 'published', publishedAt: now },
  });
});

test.each<[string, Partial<ProductDraft>, string[]]>([
  ['nothing on sale', { skus: helpDesk.skus.map((sku) => ({ ...sku, onSale: false })) }, ['skus']],
  ['nothing but a trial', { skus: helpDesk.skus.slice(0, 1) }, ['skus', 'skus.0.trialOf']],
  [
    'a trial of a trial',
    { skus: helpDesk.skus.map((sku) => (sku.skuId === skus.basic ? { ...sku, trialOf: skus.trial } : sku)) },
    ['skus.0.trialOf', 'skus.1.trialOf'],
  ],
  [
    'a limit per account on a trial, which is had once',
    { skus: helpDesk.skus.map((sku) => ({ ...sku, perAccountMax: 2 })) },
    ['skus.0.perAccountMax'],
  ],
  [
    'a limit of none',
    { skus: helpDesk.skus.slice(1).map((sku) => ({ ...sku, perAccountMax: 0 })) },
    helpDesk.skus.slice(1).map((_, nth) => `skus.${nth}.perAccountMax`),
  ],
  ['the same SKU twice', { skus: [...helpDesk.skus, { ...helpDesk.skus[1]!, name: '另一版' }] }, ['skus']],
  ['two SKUs of one name', { skus: [...helpDesk.skus, { ...helpDesk.skus[1]!, skuId: demoProducts.crm.skus.seats }] }, ['skus']],
  ['calls that are not of an API', priced({ model: 'per_package', price: 1, calls: 100, validDays: 30 }), ['skus.0.price']],
  ['more seats at least than at most', priced({ model: 'per_quantity', price: 1, minimum: 5, maximum: 4 }), ['skus.0.price']],
  [
    'seats by the month without a choice of months',
    priced({ model: 'per_quantity', price: 1, minimum: 1, maximum: 4, unit: 'month' }),
    ['skus.0.price'],
  ],
  ['an API sold by the month', { deliveryType: 'api', ...priced(perMonth) }, ['skus.0.price']],
  ['human delivery of an image', { deliveryType: 'image', humanDelivery: true, ...priced(perMonth) }, ['humanDelivery']],
])('a product with %s is not published', (_, changes, fields) => {
  expect(refused(changes)).toEqual(fields);
});

test('each change is told to others under the next version', () => {
  const product = publish(helpDesk, checked, now);
  const withdrawn = product.ok && shelve(product.value, 'withdraw', checked, now);
  expect(withdrawn && withdrawn.ok && changeOf(withdrawn.value, { name: '帆影软件', selfOperated: false }).data).toMatchObject({
    productVersion: 2,
    status: 'withdrawn',
    providerName: '帆影软件',
  });
});

test('what is off the shelf cannot be taken off it', () => {
  const product = publish(helpDesk, checked, now);
  const withdrawn = product.ok && shelve(product.value, 'withdraw', checked, now);
  expect(withdrawn && withdrawn.ok && shelve(withdrawn.value, 'withdraw', checked, now)).toMatchObject({
    ok: false,
    error: { code: 'illegal-move' },
  });
});

describe('software whose interface is not published', () => {
  const notPublished = { ok: false, error: { code: 'endpoint-not-published' } };
  const byPeople = { ...helpDesk, humanDelivery: true };

  test('is put on the shelf neither at once nor later', () => {
    expect(publish(helpDesk, unchecked, now)).toEqual(notPublished);
    const draft = create(helpDesk, now);
    expect(draft.ok && shelve(draft.value, 'publish', unchecked, now)).toEqual(notPublished);
    expect(draft.ok && shelve(draft.value, 'publish', checked, now)).toMatchObject({ ok: true, value: { status: 'published' } });
  });

  test('is taken off it all the same', () => {
    const product = publish(helpDesk, checked, now);
    expect(product.ok && shelve(product.value, 'withdraw', unchecked, now)).toMatchObject({ ok: true });
  });

  test('may be delivered by people, until an edition has it called', () => {
    const product = publish(byPeople, unchecked, now);
    expect(product).toMatchObject({ ok: true, value: { status: 'published' } });
    const edition = { ...helpDesk, added: [] };
    expect(product.ok && edit(product.value, edition, 1, unchecked, now)).toEqual(notPublished);
    expect(product.ok && edit(product.value, edition, 1, checked, now)).toMatchObject({ ok: true });
  });

  test('is the only thing that needs one', () => {
    const image: Partial<ProductDraft> = { deliveryType: 'image', ...priced(perMonth) };
    expect(publish({ ...helpDesk, ...image }, unchecked, now)).toMatchObject({ ok: true });
  });
});

describe('a metered SKU', () => {
  const metered = helpDesk.skus.map((sku) => (sku.skuId === skus.basic ? { ...sku, flow: { amount: 2_000, unit: 'Mb' as const } } : sku));
  const offSale = metered.map((sku) => (sku.flow === undefined ? sku : { ...sku, onSale: false }));
  const notMetering = { ok: false, error: { code: 'endpoint-not-metering' } };
  const onShelf = (with_: ProductDraft['skus']) => {
    const product = publish({ ...helpDesk, skus: with_ }, metering, now);
    if (!product.ok) throw new Error(JSON.stringify(product.error));
    return product.value;
  };

  test('is sold only while the published interface has been seen to answer for it', () => {
    expect(publish({ ...helpDesk, skus: metered }, checked, now)).toEqual(notMetering);
    expect(publish({ ...helpDesk, skus: offSale }, checked, now)).toMatchObject({ ok: true });
    const withdrawn = shelve(onShelf(metered), 'withdraw', checked, now);
    expect(withdrawn.ok && shelve(withdrawn.value, 'publish', checked, now)).toEqual(notMetering);
    expect(withdrawn.ok && shelve(withdrawn.value, 'publish', metering, now)).toMatchObject({ ok: true });
  });

  test('is added off sale and put on sale after the check, so that what is on the shelf never lacks one', () => {
    const product = onShelf(helpDesk.skus);
    expect(edit(product, { ...helpDesk, skus: metered, added: [] }, 1, checked, now)).toEqual(notMetering);
    const edited = edit(product, { ...helpDesk, skus: offSale, added: [] }, 1, checked, now);
    expect(edited.ok && offer(edited.value, skus.basic, true, checked, now)).toEqual(notMetering);
    expect(edited.ok && offer(edited.value, skus.basic, true, metering, now)).toMatchObject({ ok: true });
  });

  test('that is on the shelf already lets its texts be changed', () => {
    const product = onShelf(metered);
    expect(edit(product, { ...helpDesk, name: '帆影工单 2', skus: metered, added: [] }, 1, checked, now)).toMatchObject({ ok: true });
  });

  test('is of software that is called', () => {
    const flow = { amount: 1, unit: 'h' as const };
    const of = (changes: Partial<ProductDraft>) =>
      refused({ skus: [{ skuId: skus.basic, name: '基础版', price: perMonth, onSale: true, flow }], ...changes });
    expect(of({ deliveryType: 'image' })).toEqual(['skus.0.flow']);
    expect(of({ humanDelivery: true })).toEqual(['skus.0.flow']);
  });

  test('tells others what it holds', () => {
    const told = changeOf(onShelf(metered), { name: '帆影软件', selfOperated: false }).data as { skus: { flow?: object }[] };
    expect(told.skus.flatMap(({ flow }) => flow ?? [])).toEqual([{ amount: 2_000, unit: 'Mb' }]);
  });
});

describe('editing', () => {
  const edition = (changes: Partial<Edition> = {}): Edition => ({
    ...helpDesk,
    added: [],
    ...changes,
  });
  const published = () => {
    const product = publish(helpDesk, checked, now);
    if (!product.ok) throw new Error('the demo world is refused');
    return product.value;
  };

  test('SKUs that are left out stay, off sale, for those who have bought them', () => {
    const kept = edition().skus.filter(({ skuId }) => skuId !== skus.yearly);
    const edited = edit(published(), edition({ skus: kept }), 1, checked, now);
    expect(edited.ok && edited.value.skus.map(({ skuId, onSale }) => [skuId, onSale])).toEqual(
      helpDesk.skus.map(({ skuId }) => [skuId, skuId !== skus.yearly]),
    );
  });

  test('an edition of another version than the one that was read is refused', () => {
    expect(edit(published(), edition(), 2, checked, now)).toEqual({ ok: false, error: { code: 'changed-meanwhile', productVersion: 1 } });
  });

  test('whose a product is and how it is delivered cannot be edited', () => {
    const smuggled = { ...edition(), providerId: 'prv_1', deliveryType: 'image' } as Edition;
    expect(edit(published(), smuggled, 1, checked, now)).toMatchObject({
      ok: true,
      value: { providerId: helpDesk.providerId, deliveryType: helpDesk.deliveryType },
    });
  });

  test('any edition leaves every SKU that there was, with its price model and unit', () => {
    const change = fc.record({
      left: fc.subarray([...helpDesk.skus]),
      price: fc.integer({ min: 0, max: 1_000_000 }),
      model: fc.constantFrom<PriceModel>(perMonth, { model: 'one_off', price: 5 }, { ...perMonth, unit: 'year' }),
      replaces: fc.boolean(),
    });
    const told = { edited: 0, refused: 0 };
    fc.assert(
      fc.property(change, ({ left, price, model, replaces }) => {
        const changed = left.map((sku) => ({ ...sku, price: replaces ? model : { ...sku.price, price } }));
        const edited = edit(published(), edition({ skus: changed }), 1, checked, now);
        told[edited.ok ? 'edited' : 'refused']++;
        if (!edited.ok) return;
        for (const before of helpDesk.skus) {
          const after = edited.value.skus.find(({ skuId }) => skuId === before.skuId);
          expect({ ...after?.price, price: 0, durations: [] }).toEqual({ ...before.price, price: 0, durations: [] });
        }
      }),
    );
    expect(told.edited).toBeGreaterThan(10);
    expect(told.refused).toBeGreaterThan(10);
  });
});

test('«from» is the lowest price on sale, trials left out', () => {
  expect(priceFrom(helpDesk)).toBe(8_900);
});

test('every status of a product can be reached', () => {
  expect(reachable(productFlow, 'draft')).toEqual(new Set(productFlow.states));
});
