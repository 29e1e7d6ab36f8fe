import { Dice } from './time/dice.ts';
import { Loop } from './time/loop.ts';
import { healed, type Mix } from './mix.ts';
import type { Wrapping } from './breaches/breach.ts';
import type { Service } from './service.ts';
import type { Law } from './ports/laws.ts';
import { Streams } from './ports/streams.ts';

/** When every run begins, in milliseconds since the epoch. */
export const beginning = Date.parse('2026-03-02T04:00:00Z');

export type WorldOptions = {
  readonly seed: number;
  readonly mix: Mix;
  /** What is put around the parts, to prove that it is noticed. */
  readonly wrapping?: Wrapping | undefined;
  readonly log?: boolean | undefined;
};

/** Begins each line about a fault: they are the run's schedule of faults. */
export const faultMark = '✗';

type Appointment = { readonly at: number; readonly run: () => void; callOff: () => void };

/** Everything that takes part in one run. */
export class World {
  readonly seed: number;
  readonly loop: Loop;
  readonly dice: Dice;
  mix: Mix;
  readonly wrapping: Wrapping;
  readonly streams: Streams;
  readonly services = new Map<string, Service>();
  /** How far business time is ahead of the wall clock. */
  aheadMs = 0;
  healed = false;
  /** Business time at which the run is over: what falls due later, such as the end of a year's contract, is not waited for. */
  readonly endsAtMs = beginning + 40 * 86_400_000;
  /** What happened how often: proof that a run was about something. */
  readonly reached = new Map<string, number>();
  readonly lines: string[] | undefined;
  /** What went wrong without being told of: errors that no port reported. */
  readonly faults: string[] = [];
  /** Commits that must never be, with what they were about. */
  readonly brokenLaws = new Map<Law, string[]>();
  /** Subjects of commands whose undo may overtake them. */
  overtakable: ReadonlySet<string> = new Set();
  readonly #appointments = new Set<Appointment>();

  constructor({ seed, mix, wrapping = {}, log }: WorldOptions) {
    this.seed = seed;
    this.mix = mix;
    this.wrapping = wrapping;
    this.lines = log ? [] : undefined;
    this.dice = new Dice(seed);
    this.loop = new Loop();
    this.streams = new Streams(this);
  }

  isOvertakable(subject: string): boolean {
    return this.overtakable.has(subject);
  }

  reach = (what: string): void => {
    this.reached.set(what, (this.reached.get(what) ?? 0) + 1);
  };

  broke = (law: Law, detail: string): void => {
    this.tell(() => `broken: ${law}: ${detail}`);
    this.brokenLaws.set(law, [...(this.brokenLaws.get(law) ?? []), detail]);
  };

  /** Something goes wrong, or is made to. */
  strike(what: string, detail: () => string = () => ''): void {
    this.reach(what);
    this.tell(() => `${faultMark} ${what} ${detail()}`.trimEnd());
  }

  /** Tells what happens, where somebody wants to read it. */
  tell(line: () => string): void {
    this.lines?.push(`${this.loop.now.toFixed(3).padStart(12)}  ${line()}`);
  }

  wallMs = (): number => Math.floor(beginning + this.loop.now);
  now = (): Date => new Date(this.wallMs() + this.aheadMs);

  /** How long one leg of a way takes. */
  latency(): number {
    return this.dice.chance(0.01) ? this.dice.spread(3, 400) : 0.1 + this.dice.next();
  }

  /** Plans it for a moment of business time. Only those outside of the system may: the system keeps its own deadlines. */
  appoint(inMs: number, run: () => void): void {
    const appointment: Appointment = { at: this.now().getTime() + inMs, run, callOff: () => undefined };
    this.#appointments.add(appointment);
    this.#plan(appointment);
  }

  #plan(appointment: Appointment): void {
    appointment.callOff = this.loop.after(Math.max(0, appointment.at - this.now().getTime()), () => {
      this.#appointments.delete(appointment);
      appointment.run();
    });
  }

  /** Business time leaps ahead. Each process hears of it a little later. */
  leap(ms: number): void {
    this.aheadMs += ms;
    if (this.healed) this.tell(() => `business time leaps ${ms} ms ahead`);
    else this.strike('leap of business time', () => `${ms} ms ahead`);
    for (const service of this.services.values()) service.leap(this.aheadMs);
    for (const appointment of this.#appointments) {
      appointment.callOff();
      this.#plan(appointment);
    }
  }

  /** For how long nothing will happen that is known of. */
  idleMs(): number {
    let next = Infinity;
    for (const service of this.services.values()) next = Math.min(next, service.nextDue() - this.loop.now);
    for (const { at } of this.#appointments) next = Math.min(next, at - this.now().getTime());
    return next === Infinity ? 0 : next;
  }

  /** The moment of the run for a moment of business time; never, if it lies beyond the end. */
  untilEnd(businessMs: number): number {
    return businessMs > this.endsAtMs ? Infinity : businessMs - this.aheadMs - beginning;
  }

  /** Nothing goes wrong any more, and what had stopped is started. */
  heal(): void {
    this.mix = healed(this.mix);
    this.healed = true;
    this.tell(() => 'all faults end');
    this.streams.heal();
    for (const service of this.services.values()) service.heal();
  }
}
