import { expect, it } from 'vitest';
import { play } from './chaos/act.ts';
import { usualFaults } from './chaos/nemeses.ts';

// The same as `npm run chaos`, for as long as fits into every test run. Another seed by CHAOS_SEED.
const seed = process.env['CHAOS_SEED'] ?? '1';
const seconds = 50;

it(`purchases under open load end as they should while processes, links, the outside world and time misbehave (seed ${seed})`, async () => {
  const said: string[] = [];
  const played = await play({
    seed,
    seconds,
    perS: 4,
    durable: false,
    nemeses: usualFaults,
    say: (line) => said.push(line),
  });
  if (played.violations.length > 0) console.log(said.join('\n'));
  expect(played.violations).toEqual([]);
  expect(played.orders).toBeGreaterThan(seconds);
  // Rules about deliveries would also hold of a system that delivers nothing.
  expect(played.ends['completed']).toBeGreaterThan(played.orders / 3);
  const seen = Object.values(played.faultsByKind).filter((tried) => tried.seen > 0);
  expect(seen.length).toBeGreaterThanOrEqual(6);
}, 400_000);
