/** Chance that is the same every time for the same seed (sfc32). */
export class Dice {
  #a: number;
  #b: number;
  #c: number;
  #count: number;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    this.#count = 1;
    // The first draws of neighbouring seeds resemble each other.
    for (let index = 0; index < 15; index++) this.#draw();
  }

  #draw(): number {
    const sum = (this.#a + this.#b + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** At least 0, less than 1. */
  next = (): number => this.#draw() / 2 ** 32;

  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** Whole numbers from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!;
  }

  /** Mostly near `min`, sometimes far: the ends of the range differ by orders of magnitude. */
  spread(min: number, max: number): number {
    return min * (max / min) ** this.next();
  }

  /** 32 bits as eight hexadecimal digits. */
  hex8 = (): string => this.#draw().toString(16).padStart(8, '0');
}
