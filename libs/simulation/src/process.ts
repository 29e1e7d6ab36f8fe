import { startEngine, type Engine, type Ports } from '@yunshi/messaging/engine';
import type { Host } from '@yunshi/messaging/host';
import { testClock, type TestClock } from '@yunshi/kernel/clock';
import type { Looker } from './time/loop.ts';
import { uuidv7Of } from './time/names.ts';
import { recordsOver } from './ports/records.ts';
import { deciding, writing } from './deciding.ts';
import type { Service } from './service.ts';
import { sessionsOver, type Connection } from './ports/sessions.ts';
import type { World } from './world.ts';

/** One process of a service. When it dies, its memory is lost: nothing that it waits for ever arrives, nothing that it does has an effect. */
export class Process {
  readonly service: Service;
  readonly nth: number;
  readonly world: World;
  readonly clock: TestClock;
  readonly host: Host;
  readonly connections = new Set<Connection>();
  readonly #looker: Looker;
  alive = true;
  /** Whether it hears from the message server. */
  connected = true;
  engine: Engine | undefined;
  /** Until then it looks for something to do even where nothing seems to be due: it may have to find out what it is connected to. */
  #wakefulUntil = 0;

  constructor(service: Service, nth: number) {
    this.service = service;
    this.nth = nth;
    this.world = service.world;
    this.clock = testClock(this.world.aheadMs, { now: () => new Date(this.world.wallMs()) });
    const { loop } = this.world;
    this.#looker = loop.looker(() => (loop.now < this.#wakefulUntil ? loop.now : service.nextDue()));
    this.host = this.#makeHost();
  }

  get name(): string {
    return `${this.service.name}-${this.nth}`;
  }

  start(): void {
    this.world.tell(() => `${this.name} starts`);
    this.world.streams.prepare(this, () => this.#startEngine());
  }

  #startEngine(): void {
    const { world, service } = this;
    const { wrapping } = world;
    const behaved = service.behave(this);
    const { handlers, ...behaviour } = wrapping.behaviour?.(behaved, this) ?? behaved;
    const ports = this.#makePorts();
    const starting = startEngine(
      { ...behaviour, service: service.name, handlers: deciding(handlers, world), onFault: this.#onFault },
      wrapping.ports?.(ports, this) ?? ports,
    );
    starting.then(
      (engine) => {
        if (!this.alive) return;
        this.engine = writing(wrapping.engine?.(engine, this) ?? engine, world);
        engine.run();
      },
      // As in production: what cannot start ends, and is started again.
      (error: unknown) => {
        world.tell(() => `${this.name} cannot start: ${String(error)}`);
        this.die(500);
      },
    );
  }

  #makePorts(): Ports {
    const { streams } = this.world;
    return {
      clock: this.clock,
      host: this.host,
      sessions: () => sessionsOver(this),
      records: recordsOver(this),
      publisher: streams.publisherFor(this),
      consume: (consuming, onMessage) => streams.consume(this, consuming, onMessage),
    };
  }

  readonly #onFault = (what: string, error: unknown): void => {
    this.world.tell(() => `${this.name} has a fault: ${what}: ${String(error)}`);
  };

  /** Whether the process dies at this point. Asked before and after everything that it does outside of its own memory. */
  dies(point: string): boolean {
    if (!this.alive) return true;
    const { crash, crashAt } = this.world.mix;
    if (!this.world.dice.chance(crashAt[point] ?? crash)) return false;
    this.world.strike(`crash at ${point}`, () => this.name);
    this.die(this.world.dice.spread(1, this.world.mix.downMsMax));
    return true;
  }

  die(downMs: number): void {
    if (!this.alive) return;
    this.alive = false;
    this.engine = undefined;
    for (const connection of this.connections) connection.close();
    this.connections.clear();
    this.world.streams.forget(this);
    this.service.replace(this, downMs);
  }

  cutAll(): void {
    for (const connection of Array.from(this.connections)) connection.cut(0);
  }

  stayAwake(): void {
    this.#wakefulUntil = this.world.loop.now + 10_000;
    this.changed();
  }

  /** Something may be due that was not before. */
  changed(): void {
    this.#looker.changed(this.world.loop.now);
  }

  moveClock(aheadMs: number): void {
    if (this.alive) this.clock.moveTo(aheadMs);
  }

  #makeHost(): Host {
    const { loop, dice } = this.world;
    const alive = (run: () => void) => () => {
      if (this.alive) run();
    };
    const every = (ms: number, run: () => void): (() => void) => {
      let callOff = (): void => undefined;
      const again = (): void => {
        callOff = this.#looker.look(
          loop.now + ms,
          alive(() => {
            again();
            run();
          }),
        );
      };
      again();
      return () => callOff();
    };
    return {
      wallMs: this.world.wallMs,
      elapsedMs: () => loop.now,
      after: (ms, run) => loop.after(ms, alive(run)),
      restFor: (ms, run) => this.#looker.look(loop.now + ms, alive(run)),
      every,
      nextTurn: () => new Promise((resolve) => loop.after(0.02, alive(resolve))),
      random: dice.next,
      uuid: (atMs) => uuidv7Of(atMs, dice),
    };
  }
}
