import { settlePromises } from './microtasks.ts';

/** Something that will happen at a moment, unless it is called off. */
type Happening = {
  readonly at: number;
  /** Breaks ties, so that what was planned first happens first. */
  readonly order: number;
  run: (() => void) | undefined;
};
/** A look whether there is something to do. */
type Look = Happening & { readonly by: Looker; /** When it would come by itself. */ readonly wanted: number };

/**
 * Virtual time: what is planned happens in its order, in this one thread, and the time between takes none. Milliseconds since the
 * beginning, with fractions.
 */
export class Loop {
  now = 0;
  /** How many things have happened. */
  count = 0;
  /** Of when everything happened: the same for two runs only if they were the same. */
  digest = 0;
  #order = 0;
  readonly #planned = new Heap<Happening>();
  readonly #looks = new Heap<Look>();

  /** Plans it. Answers how to call it off. */
  after(ms: number, run: () => void): () => void {
    const happening: Happening = { at: this.now + ms, order: this.#order++, run };
    this.#planned.push(happening);
    return () => {
      happening.run = undefined;
    };
  }

  /** Somebody who looks, now and then, whether something is due. `due` says when that will be, as far as is known: now, later or never. */
  looker(due: () => number): Looker {
    return new Looker(due, (look) => {
      this.#looks.push({ ...look, order: this.#order++ });
    });
  }

  /** Lets things happen until the time has come, or nothing is left to happen. Answers whether that is so. */
  runUntil(until: number): boolean {
    for (;;) {
      const next = this.#next(until);
      if (next === 'nothing') return true;
      if (next === 'later') {
        this.now = until;
        return false;
      }
      this.now = next.at;
      this.count++;
      this.digest = Math.imul(this.digest ^ (next.at * 1_024), 0x01000193);
      const { run } = next;
      next.run = undefined;
      run?.();
      settlePromises();
    }
  }

  #next(until: number): Happening | 'nothing' | 'later' {
    for (;;) {
      const planned = this.#planned.first();
      const look = this.#looks.first();
      const isLook = look !== undefined && (planned === undefined || isBefore(look, planned));
      const next = isLook ? look : planned;
      if (!next) return 'nothing';
      if (isLook && look.by.hasForgotten(look)) {
        this.#looks.pop();
        continue;
      }
      if (next.at > until) return 'later';
      if (!isLook) {
        this.#planned.pop();
        return next;
      }
      this.#looks.pop();
      if (!look.by.putsOff(look)) return look;
    }
  }
}

/**
 * Whose looks are put off while there is nothing to find: waking a million times for nothing would prove nothing. Whoever changes what may be
 * due says so by `changed`.
 */
export class Looker {
  readonly #due: () => number;
  readonly #plan: (look: Omit<Look, 'order'>) => void;
  /** Looks that wait until something is due. */
  #waiting: Look[] = [];
  /** When they go on waiting no longer. */
  #wakesAt = Infinity;

  constructor(due: () => number, plan: (look: Omit<Look, 'order'>) => void) {
    this.#due = due;
    this.#plan = plan;
  }

  /** Plans one look. Answers how to call it off. */
  look(at: number, run: () => void): () => void {
    let isOff = false;
    const once = (): void => {
      if (!isOff) run();
    };
    this.#plan({ at, wanted: at, run: once, by: this });
    return () => {
      isOff = true;
    };
  }

  /** Whether the look was planned for a moment that nothing is expected of any more. */
  hasForgotten(look: Look): boolean {
    if (look.run !== waking) return false;
    if (look.at !== this.#wakesAt) return true;
    const due = this.#due();
    if (due <= look.at) return false;
    this.#wakesAt = Infinity;
    this.#wakeAt(due);
    return true;
  }

  /** Whether it is no time for this look yet. */
  putsOff(look: Look): boolean {
    const due = this.#due();
    if (look.run === waking) {
      this.#wake(look.at);
      return true;
    }
    if (due <= look.at) return false;
    this.#waiting.push(look);
    this.#wakeAt(due);
    return true;
  }

  changed(now: number): void {
    if (this.#waiting.length > 0) this.#wakeAt(Math.max(this.#due(), now));
  }

  #wakeAt(due: number): void {
    if (due >= this.#wakesAt) return;
    this.#wakesAt = due;
    this.#plan({ at: due, wanted: due, run: waking, by: this });
  }

  #wake(now: number): void {
    this.#wakesAt = Infinity;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { run, wanted } of waiting) this.#plan({ at: Math.max(now, wanted), wanted, run, by: this });
  }
}

const waking = (): void => undefined;

/** A binary heap, earliest first. */
class Heap<T extends Happening> {
  readonly #items: T[] = [];

  /** The earliest that has not been called off. */
  first(): T | undefined {
    while (this.#items.length > 0 && !this.#items[0]!.run) this.pop();
    return this.#items[0];
  }

  push(happening: T): void {
    const items = this.#items;
    let at = items.length;
    items.push(happening);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(happening, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = happening;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (!last || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child++;
      if (!isBefore(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
  }
}

const isBefore = (a: Happening, b: Happening): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
