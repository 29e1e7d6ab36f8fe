import type { Random } from './random.ts';

/** One period: these kinds of fault, each beginning at its own moment, all healed at the end. */
export type Period = { readonly lengthMs: number; readonly faults: readonly { readonly kind: string; readonly afterMs: number }[] };

const quietShare = 1 / 4;
/** Milliseconds. */
export type Lengths = { readonly least: number; readonly most: number };
const usualLengths: Lengths = { least: 4_000, most: 9_000 };
const faultsMax = 4;

/**
 * A shifting mix: a quarter of the periods is left in peace, the others get a random subset of the kinds. Kinds that have had fewer turns
 * come first, so that even a short run tries each of them.
 */
export function* periods(kinds: readonly string[], random: Random, lengths: Lengths = usualLengths): Generator<Period, never> {
  const turns = new Map(kinds.map((kind) => [kind, 0]));
  for (;;) {
    const length = lengths.least + random.below(lengths.most - lengths.least);
    const count = random.chance(quietShare) ? 0 : 1 + random.below(Math.min(faultsMax, kinds.length));
    const chosen = random
      .shuffled(kinds)
      .toSorted((a, b) => turns.get(a)! - turns.get(b)!)
      .slice(0, count);
    for (const kind of chosen) turns.set(kind, turns.get(kind)! + 1);
    // In the first half, so that every fault has time to do something.
    yield { lengthMs: length, faults: chosen.map((kind) => ({ kind, afterMs: random.below(length / 2) })) };
  }
}
