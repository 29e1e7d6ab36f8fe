import { describe, expect, it } from 'vitest';
import type { Fault, Nemesis } from './nemesis.ts';
import { randomFrom } from './random.ts';
import { idle, torment } from './torment.ts';

const fault = (told: Partial<Fault> = {}): Fault => ({ target: 'it', seen: () => 1, heal: () => Promise.resolve(), ...told });
const lengths = { least: 10, most: 20 };
const run = (nemesis: Nemesis) => torment({ nemeses: [nemesis], random: randomFrom('x'), seconds: 0.3, lengths, say: () => {} });

describe('what torments', () => {
  it('is healed before the next period begins, and counted', async () => {
    let atWork = 0;
    let most = 0;
    const { faultsByKind, unhealed } = await run({
      kind: 'noise',
      strike: () => Promise.resolve(fault({ seen: () => (most = Math.max(most, ++atWork)), heal: () => Promise.resolve(void atWork--) })),
    });
    expect([atWork, most]).toEqual([0, 1]);
    expect(unhealed).toEqual([]);
    const { begun, seen } = faultsByKind['noise']!;
    expect(begun).toBeGreaterThan(1);
    expect(seen).toBe(begun);
  });

  it('is named when it cannot be healed', async () => {
    const { unhealed } = await run({
      kind: 'mud',
      strike: () => Promise.resolve(fault({ heal: () => Promise.reject(new Error('sticks')) })),
    });
    expect(unhealed.flatMap(({ rows }) => rows)).toContainEqual({ kind: 'mud', target: 'mud', why: 'sticks' });
  });

  it('is looked at again when another fault has taken away what shows it', async () => {
    let away = true;
    const looked = () => {
      if (away) {
        away = false;
        return Promise.reject(new Error('the database is away'));
      }
      return Promise.resolve(1);
    };
    const { faultsByKind, unhealed } = await run({ kind: 'fog', strike: () => Promise.resolve(fault({ seen: looked })) });
    expect(unhealed).toEqual([]);
    expect(faultsByKind['fog']!.seen).toBe(faultsByKind['fog']!.begun);
  });

  it('has proved nothing when it was never seen to do anything', () => {
    const rows = [{ kind: 'thunder', begun: 3, seen: 0 }];
    expect(idle({ thunder: { begun: 3, seen: 0 }, rain: { begun: 3, seen: 1 } })).toMatchObject([{ rows }]);
    expect(idle({ thunder: { begun: 2, seen: 0 } })).toEqual([]);
  });
});
