import type { newId } from '@yunshi/kernel/ids';
import type { Dice } from './dice.ts';

/** 32 hexadecimal digits as a UUIDv7 has them, of the dice instead of the operating system. */
function digits(atMs: number, dice: Dice): string {
  const [a, b, c] = [dice.hex8(), dice.hex8(), dice.hex8()];
  return `${atMs.toString(16).padStart(12, '0')}7${a.slice(0, 3)}8${a.slice(3, 6)}${b}${c.slice(0, 4)}`;
}

export function uuidv7Of(atMs: number, dice: Dice): string {
  const all = digits(atMs, dice);
  return `${all.slice(0, 8)}-${all.slice(8, 12)}-${all.slice(12, 16)}-${all.slice(16, 20)}-${all.slice(20)}`;
}

type Prefix = Parameters<typeof newId>[0];
type IdOf<P extends Prefix> = ReturnType<typeof newId<P>>;

export const idOf = <P extends Prefix>(prefix: P, at: Date, dice: Dice): IdOf<P> =>
  `${prefix}_${digits(at.getTime(), dice)}` as unknown as IdOf<P>;
