/** Draws a password that clouds accept: letters of both cases, digits and signs, none that is easily mistaken for another. */

const classes = ['abcdefghijkmnpqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789', '-_+=.'] as const;
const all = classes.join('');
const length = 20;

/** `randomInt(max)` draws a number below `max`. */
export function drawPassword(randomInt: (maxExclusive: number) => number): string {
  const from = (alphabet: string): string => alphabet[randomInt(alphabet.length)] ?? '';
  const drawn = [...classes.map(from), ...Array.from({ length: length - classes.length - 1 }, () => from(all))];
  // One of each class is sure to be there; where it stands is drawn too (Fisher and Yates).
  for (let last = drawn.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [drawn[last], drawn[other]] = [drawn[other] ?? '', drawn[last] ?? ''];
  }
  // Some tools take a leading sign for an option.
  return from(classes[0]) + drawn.join('');
}
