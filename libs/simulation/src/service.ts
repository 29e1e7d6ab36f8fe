import type { Behaviour } from '@yunshi/messaging/engine';
import { Database } from './ports/database.ts';
import { Process } from './process.ts';
import { beginning, type World } from './world.ts';

/** How a service is put together in one process: the same parts as its app puts together, on the ports of the simulation. */
export type MakeBehaviour = (process: Process) => Omit<Behaviour, 'service' | 'onFault'>;

export type ServiceOptions = {
  readonly name: string;
  readonly behave: MakeBehaviour;
  readonly madeByLocking?: ReadonlyMap<string, (key: string) => unknown>;
};

/** One service: its database, and the processes that work on it. */
export class Service {
  readonly name: string;
  readonly world: World;
  readonly database: Database;
  readonly behave: MakeBehaviour;
  readonly processes: Process[] = [];

  constructor(world: World, { name, behave, madeByLocking }: ServiceOptions) {
    this.world = world;
    this.name = name;
    this.behave = behave;
    const unguarded = new Set(world.wrapping.unguarded);
    const { loop, reach, broke } = world;
    this.database = new Database(name, { loop, reach, broke, changed: () => this.changed(), unguarded }, madeByLocking);
  }

  start(): void {
    const count = this.world.mix.pairs.includes(this.name) ? 2 : 1;
    for (let nth = 1; nth <= count; nth++) this.add(nth);
  }

  add(nth: number): void {
    const process = new Process(this, nth);
    this.processes.push(process);
    process.start();
  }

  /** Known until something happens. */
  #due = { count: -1, at: Infinity };
  /** What the processes asked to be given, by the subjects that they named. */
  readonly subjects = new Set<string>();

  listensTo(subject: string): boolean {
    return this.subjects.has(subject);
  }

  /** A process that takes requests, if there is one. */
  door(): Process | undefined {
    const open = this.processes.filter((process) => process.engine);
    return open.length > 0 ? this.world.dice.pick(open) : undefined;
  }

  replace(dead: Process, afterMs: number): void {
    this.processes.splice(this.processes.indexOf(dead), 1);
    this.world.loop.after(this.world.healed ? Math.min(afterMs, 50) : afterMs, () => this.add(dead.nth));
  }

  /** Its rows have changed, or time has: what looks for something due may find it earlier than it thought. */
  changed(): void {
    this.#due.count = -1;
    for (const process of this.processes) process.changed();
  }

  leap(aheadMs: number): void {
    for (const process of this.processes) {
      this.world.loop.after(this.world.dice.next() * 200, () => process.moveClock(aheadMs));
    }
    this.changed();
  }

  /** The database shuts down for a while, and cuts all connections. */
  shutDown(ms: number): void {
    if (this.database.isDown) return;
    this.world.strike('database shut down', () => this.name);
    this.database.isDown = true;
    for (const process of this.processes) process.cutAll();
    this.world.loop.after(ms, () => (this.database.isDown = false));
  }

  heal(): void {
    this.database.isDown = false;
    for (const process of this.processes) process.stayAwake();
  }

  /**
   * Milliseconds of the run at which something falls due that a look would find: a message that is not sent, a deadline, a saga's next
   * question, a call that nobody is at.
   */
  nextDue = (): number => {
    const { count } = this.world.loop;
    if (this.#due.count !== count) this.#due = { count, at: this.#findDue() };
    return this.#due.at;
  };

  #findDue(): number {
    const { outbox, deadlines, sagas, calls } = this.database;
    const { now } = this.world.loop;
    if (this.processes.length === 0) return Infinity;
    if (outbox.size > 0) return now;
    let next = Infinity;
    for (const { dueAt } of deadlines.values()) next = Math.min(next, dueAt.getTime());
    for (const { lookAt } of sagas.values()) if (lookAt) next = Math.min(next, lookAt.getTime());
    next = this.world.untilEnd(next);
    for (const { open, notBefore, leasedUntil } of calls.values()) {
      if (open) next = Math.min(next, Math.max(this.world.untilEnd(notBefore.getTime()), leasedUntil.getTime() - beginning));
    }
    return Math.max(next, 0);
  }
}
