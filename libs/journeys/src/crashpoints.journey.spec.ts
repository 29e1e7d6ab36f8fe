import { crashpoints } from '@yunshi/messaging/crashpoint';
import { expect, test } from 'vitest';
import { sweep } from './crashpoints/sweep.ts';
import { eachPointOnce } from './crashpoints/targets.ts';

/*
 * `npm run crashpoints` ends every service at every point that it comes by, the first, the second and the third time. This ends one
 * process at each point.
 */
test('a process that ends at any of the crash points, and is started again, breaks none of the invariants', async () => {
  const targets = eachPointOnce();
  expect(new Set(targets.map(({ point }) => point))).toEqual(new Set(crashpoints));
  const { missed, crashes, lost, acknowledged, completed, refunded } = await sweep({ targets, withinMs: 240_000, say: () => undefined });
  expect(missed).toEqual([]);
  expect(crashes).toBe(targets.length);
  expect(lost).toEqual([]);
  // Rules about deliveries and refunds would also hold of a system that brings about neither.
  expect(acknowledged).toBeGreaterThan(30);
  expect(completed).toBeGreaterThan(10);
  expect(refunded).toBeGreaterThan(0);
}, 600_000);
