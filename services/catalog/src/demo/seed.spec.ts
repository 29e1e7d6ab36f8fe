import { expect, test } from 'vitest';
import { demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import type { productChanged } from '@yunshi/contracts/catalog';
import { demoReviews } from './reviews.ts';
import { demoShelf, seedDemoWorld } from './seed.ts';

const now = new Date('2026-03-02T04:00:00Z');
const seeded = () => seedDemoWorld.decide(undefined, undefined, { now, beside: undefined });
type Told = ReturnType<typeof productChanged>['data'];

test('the demo world has at least 24 products on sale, of all delivery types and six providers', () => {
  const told = (seeded().events ?? []).map((event) => event.data as Told).filter(({ status }) => status === 'published');
  expect(told.length).toBeGreaterThanOrEqual(24);
  expect(new Set(told.map(({ deliveryType }) => deliveryType))).toEqual(new Set(['image', 'human_service', 'saas', 'api']));
  expect(new Set(told.map(({ providerId }) => providerId))).toEqual(
    new Set(Object.values(demoProviders).map(({ providerId }) => providerId)),
  );
});

test('every product that the demo world names is on the shelf once, with its SKUs', () => {
  const onShelf = demoShelf.map(({ draft }) => [draft.productId, draft.name, draft.skus.map(({ skuId }) => skuId)]);
  const named = Object.values(demoProducts).map(({ productId, name, skus }) => [productId, name, Object.values(skus)]);
  expect(onShelf).toHaveLength(named.length);
  expect(new Set(onShelf)).toEqual(new Set(named));
});

test('what buyers have said of a product is what its rating comes to', () => {
  const { reviews, ratings } = demoReviews(demoShelf, now);
  expect(new Set(reviews.map(({ reviewId }) => reviewId)).size).toBe(reviews.length);
  for (const { productId, stars } of ratings)
    expect(reviews.filter((review) => review.productId === productId).reduce((sum, review) => sum + review.stars, 0)).toBe(stars);
});

test('seeding is the same every time', () => {
  expect(JSON.stringify(seeded())).toBe(JSON.stringify(seeded()));
});

test('a catalogue that has been seeded is left alone', () => {
  const first = { productId: demoShelf[0].draft.productId } as never;
  expect(seedDemoWorld.decide(undefined, first, { now, beside: undefined })).toEqual({});
});
