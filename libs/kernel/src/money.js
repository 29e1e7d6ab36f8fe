import { z } from 'zod';
/** An amount of CNY in integer fen (1 yuan = 100 fen), never negative, at most 10 million yuan times a thousand. */
export const Fen = z.int().min(0).max(1_000_000_000_000).meta({ description: 'CNY in integer fen', example: 19900 });
/**
 * The part `numerator / denominator` of an amount, rounded half up to whole fen.
 * This is the one rounding rule of the marketplace; integers only, so that no binary fraction can creep in.
 */
export function partOf(amount, numerator, denominator) {
  return Number((BigInt(amount) * BigInt(numerator) * 2n + BigInt(denominator)) / (BigInt(denominator) * 2n));
}
/** Splits `amount` over lines in proportion to `weights` without losing a fen (largest remainders get the rest, earlier lines first). */
export function allocate(amount, weights) {
  const total = weights.reduce((sum, weight) => sum + BigInt(weight), 0n);
  if (total === 0n) return weights.map(() => 0);
  const exact = weights.map((weight) => BigInt(amount) * BigInt(weight));
  const shares = exact.map((value) => value / total);
  let left = Number(BigInt(amount) - shares.reduce((sum, share) => sum + share, 0n));
  const byRemainder = exact
    .map((value, index) => ({ index, rest: value % total }))
    .sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1));
  for (const { index } of byRemainder) {
    if (left === 0) break;
    shares[index] += 1n;
    left--;
  }
  return shares.map(Number);
}
/** `19900` → `¥199.00`, for people. */
export const yuan = (amount) => `¥${(amount / 100).toFixed(2)}`;
