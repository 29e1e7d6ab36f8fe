import { streamNames, type StreamName } from '@yunshi/messaging/bus';
import type { Consuming, Consumption } from '@yunshi/messaging/consume';
import type { Delivered } from '@yunshi/messaging/receive';
import type { OpenPublisher, Publisher, PubAck } from '@yunshi/messaging/relay';
import type { Process } from '../process.ts';
import type { World } from '../world.ts';

type Message = { readonly seq: number; readonly id: string; readonly subject: string; readonly body: string; readonly at: number };
type Stream = { created: number; seq: number; readonly messages: Map<number, Message>; readonly ids: Map<string, number> };
type Member = { readonly process: Process; readonly onMessage: (message: Delivered) => void; isPulling: boolean };
/** A durable consumer: how often each message was delivered, and who gets them. */
type Consumer = {
  readonly consuming: Consuming;
  readonly filters: ReadonlySet<string>;
  readonly members: Member[];
  /** By sequence: the messages that are not acknowledged. */
  readonly open: Map<number, Delivery>;
};
type Delivery = { deliveries: number; callOff: () => void; /** Nobody was there to take it. */ isLeft: boolean };
const unopened = (): Delivery => ({ deliveries: 0, callOff: () => undefined, isLeft: true });

/** As the timeline shows a message: its subject, the end of its id, and the saga that it is about. */
function named({ id, subject, body }: Pick<Message, 'id' | 'subject' | 'body'>): string {
  const { saga } = JSON.parse(body) as { readonly saga?: { readonly sagaId: string } };
  return `${subject} ${id.slice(-6)}${saga ? ` of ${saga.sagaId}` : ''}`;
}

const ackWaitMs = 15_000;
const duplicateWindowMs = 30_000;
/** What the server has not written to its disk yet when it is killed. */
const unsyncedMs = 1_500;

/** Thrown by `publish` of a connection that has closed. */
class ClosedConnectionError extends Error {}

/** JetStream as far as the core relies on it: streams that deduplicate for a while, durables that deliver until they are acknowledged. */
export class Streams {
  readonly #world: World;
  readonly #streams = new Map<StreamName, Stream>();
  readonly #consumers = new Map<string, Consumer>();
  readonly #members = new Map<Consuming, Member>();
  #isUp = true;
  #comesBackWith: 'synced' | 'nothing' = 'synced';
  #serverId = 1;
  /** Grows with each restart: what was on its way to the server before arrives nowhere. */
  #life = 1;

  constructor(world: World) {
    this.#world = world;
    this.#ensure();
  }

  #ensure(): void {
    for (const name of streamNames) {
      if (!this.#streams.has(name)) this.#streams.set(name, { created: this.#life, seq: 0, messages: new Map(), ids: new Map() });
    }
  }

  /** What a starting service does first: it waits for the server, and makes the streams if they are not there. */
  prepare(process: Process, then: () => void): void {
    this.#world.loop.after(this.#world.latency(), () => {
      if (!process.alive) return;
      if (!this.#isUp) return void this.#world.loop.after(300, () => this.prepare(process, then));
      this.#ensure();
      then();
    });
  }

  publisherFor(process: Process): OpenPublisher {
    const { loop } = this.#world;
    return (acknowledged): Publisher => ({
      publish: (message, token) => {
        if (process.dies('publish, before')) return;
        const { dice, mix } = this.#world;
        if (dice.chance(mix.publishThrows)) {
          this.#world.strike('publish threw', () => message.subject);
          throw new ClosedConnectionError('closed connection');
        }
        const life = this.#life;
        if (dice.chance(mix.publishLost)) this.#world.strike('message lost on the way to the stream', () => named(message));
        else {
          loop.after(this.#delay(), () => {
            if (this.#life !== life || !this.#isUp) return;
            const ack = this.#take(message);
            if (dice.chance(this.#world.mix.pubAckLost))
              return this.#world.strike('acknowledgement of the stream lost', () => named(message));
            loop.after(this.#world.latency(), () => {
              if (process.alive && this.#life === life) acknowledged(token, ack);
            });
          });
        }
        process.dies('publish, after');
      },
      serverId: () => String(this.#serverId),
      stream: (name) =>
        new Promise((resolve, reject) => {
          loop.after(this.#world.latency(), () => {
            if (!process.alive) return;
            const stream = this.#isUp ? this.#streams.get(name) : undefined;
            if (stream) resolve({ created: String(stream.created), lastSeq: stream.seq });
            else reject(new Error('stream not found'));
          });
        }),
      flush: () => Promise.resolve(),
      close: () => undefined,
    });
  }

  #delay(): number {
    const { dice, mix } = this.#world;
    return dice.chance(mix.late) ? dice.spread(1, mix.lateMsMax) : this.#world.latency();
  }

  #take({ id, subject, body, stream: name }: Parameters<Publisher['publish']>[0]): PubAck {
    const stream = this.#streams.get(name);
    if (!stream) return { error: { description: 'no stream takes the subject' } };
    const { now } = this.#world.loop;
    const known = stream.ids.get(id);
    if (known !== undefined && now - known < duplicateWindowMs) {
      this.#world.reach('duplicate refused by the stream');
      return { stream: name, seq: stream.seq };
    }
    stream.ids.set(id, now);
    this.#world.tell(() => `stream ${name} takes ${named({ id, subject, body })} as ${stream.seq + 1}`);
    const message: Message = { seq: ++stream.seq, id, subject, body, at: now };
    stream.messages.set(message.seq, message);
    for (const consumer of this.#consumers.values()) {
      if (consumer.consuming.stream === name && consumer.filters.has(subject)) this.#deliver(consumer, message);
    }
    return { stream: name, seq: message.seq };
  }

  consume(process: Process, consuming: Consuming, onMessage: (message: Delivered) => void): Consumption {
    const member: Member = { process, onMessage, isPulling: false };
    this.#members.set(consuming, member);
    for (const subject of consuming.filters) process.service.subjects.add(subject);
    this.#world.loop.after(this.#world.latency(), () => this.#join(consuming, member));
    return { stop: () => Promise.resolve(), pulling: () => member.isPulling };
  }

  /** Makes the streams and the durable if they are not there, and takes part in it. */
  #join(consuming: Consuming, member: Member): void {
    if (!member.process.alive || member.isPulling) return;
    if (!this.#isUp) return void this.#world.loop.after(300 + this.#world.dice.next() * 300, () => this.#join(consuming, member));
    this.#ensure();
    let consumer = this.#consumers.get(consuming.durable);
    if (!consumer) {
      consumer = { consuming, filters: new Set(consuming.filters), members: [], open: new Map() };
      this.#consumers.set(consuming.durable, consumer);
      for (const message of this.#streams.get(consuming.stream)!.messages.values()) {
        if (consumer.filters.has(message.subject)) consumer.open.set(message.seq, unopened());
      }
    }
    member.isPulling = true;
    consumer.members.push(member);
    for (const [seq, { isLeft }] of consumer.open) if (isLeft) this.#again(consumer, seq);
  }

  #deliver(consumer: Consumer, message: Message): void {
    const { loop, dice, mix } = this.#world;
    const state = consumer.open.get(message.seq) ?? unopened();
    consumer.open.set(message.seq, state);
    const members = consumer.members.filter((member) => member.isPulling);
    state.isLeft = members.length === 0;
    this.#world.tell(() => `${consumer.consuming.durable} ${state.isLeft ? 'keeps' : 'delivers'} ${named(message)}`);
    if (state.isLeft) return;
    state.deliveries++;
    if (state.deliveries > 1) this.#world.reach('message delivered again');
    const delivered = this.#delivered(consumer, message, state.deliveries);
    const times = dice.chance(mix.twice) ? 2 : 1;
    for (let time = 0; time < times; time++) {
      const { process, onMessage } = dice.pick(members);
      const overtaken = this.#world.isOvertakable(message.subject) && dice.chance(mix.overtaken);
      const delay = overtaken ? dice.spread(20, 12_000) : this.#delay();
      const life = this.#life;
      loop.after(delay, () => {
        // What was on its way is lost with the connection.
        if (process.alive && process.connected && this.#life === life) onMessage(delivered(process));
      });
    }
    state.callOff();
    state.callOff = loop.after(ackWaitMs, () => this.#again(consumer, message.seq));
  }

  #again(consumer: Consumer, seq: number): void {
    const message = this.#streams.get(consumer.consuming.stream)?.messages.get(seq);
    const state = consumer.open.get(seq);
    if (!message || !state || this.#consumers.get(consumer.consuming.durable) !== consumer) return;
    if (this.#isUp) this.#deliver(consumer, message);
    else state.callOff = this.#world.loop.after(ackWaitMs, () => this.#again(consumer, seq));
  }

  #delivered(consumer: Consumer, message: Message, deliveryCount: number): (process: Process) => Delivered {
    const { subject, body } = message;
    return (process) => {
      const settle = (what: string, atServer: () => void): void => {
        if (process.dies(`${what}, before`)) return;
        const { dice, mix, loop } = this.#world;
        if (dice.chance(mix.publishThrows)) throw new ClosedConnectionError('closed connection');
        const life = this.#life;
        if (dice.chance(mix.ackLost)) return this.#world.strike('acknowledgement of a delivery lost', () => named(message));
        loop.after(this.#world.latency(), () => {
          if (this.#isUp && this.#life === life) atServer();
        });
      };
      return {
        subject,
        info: { deliveryCount },
        json: () => JSON.parse(body) as unknown,
        string: () => body,
        ack: () => settle('ack', () => this.#acknowledged(consumer.consuming, message.seq)),
        nak: (ms) =>
          settle('nak', () => {
            const current = this.#consumers.get(consumer.consuming.durable);
            const state = current?.open.get(message.seq);
            if (!current || !state) return;
            state.callOff();
            // As the real one: a delay that is no whole number of nanoseconds is none.
            const delayMs = Number.isInteger(ms * 1e6) ? ms : 0;
            state.callOff = this.#world.loop.after(delayMs, () => this.#again(current, message.seq));
          }),
      };
    };
  }

  /** By names and numbers alone, as the server does it: whatever has that number now is settled. */
  #acknowledged({ durable, stream }: Consuming, seq: number): void {
    const open = this.#consumers.get(durable)?.open;
    const state = open?.get(seq);
    if (!open || !state) return;
    state.callOff();
    open.delete(seq);
    if (stream !== 'EVT') this.#streams.get(stream)?.messages.delete(seq);
  }

  /** The process is gone: what it had been given is delivered again when nobody acknowledges it. */
  forget(process: Process): void {
    for (const [consuming, member] of this.#members) if (member.process === process) this.#members.delete(consuming);
    for (const { members } of this.#consumers.values()) {
      const at = members.findIndex((member) => member.process === process);
      if (at >= 0) members.splice(at, 1);
    }
  }

  /** The server dies and comes back: with all that it had synced, or with nothing. */
  restart(downMs: number, kept: 'synced' | 'nothing'): void {
    if (!this.#isUp) return;
    this.#world.strike(kept === 'nothing' ? 'streams wiped' : 'message server restarted');
    if (kept === 'nothing' && this.#hasUnread()) this.#world.reach('streams wiped with messages unread');
    this.#isUp = false;
    this.#life++;
    for (const { process } of this.#members.values()) this.#disconnect(process);
    this.#comesBackWith = kept;
    this.#world.loop.after(downMs, () => this.#comeBack());
  }

  #hasUnread = (): boolean => [...this.#consumers.values()].some(({ open }) => open.size > 0);

  #disconnect(process: Process): void {
    if (!process.connected) return;
    process.connected = false;
    process.engine?.disconnected();
  }

  #comeBack(): void {
    if (this.#isUp) return;
    const kept = this.#comesBackWith;
    this.#isUp = true;
    this.#serverId++;
    if (kept === 'nothing') {
      this.#streams.clear();
      for (const { open } of this.#consumers.values()) for (const { callOff } of open.values()) callOff();
      this.#consumers.clear();
    } else {
      this.#loseUnsynced();
    }
    for (const [consuming, member] of this.#members) {
      // A durable that has disappeared ends the pulling, which is begun again after a pause. Otherwise it goes on by itself.
      if (kept === 'nothing') member.isPulling = false;
      this.#world.loop.after(300 + this.#world.dice.next() * 300, () => this.#join(consuming, member));
      this.#reconnect(member.process);
    }
  }

  #reconnect(process: Process): void {
    if (process.connected) return;
    this.#world.loop.after(50 + this.#world.dice.next() * 400, () => {
      if (!process.alive || process.connected || !this.#isUp) return;
      process.connected = true;
      process.stayAwake();
      void process.engine?.reconnected();
    });
  }

  #loseUnsynced(): void {
    const since = this.#world.loop.now - unsyncedMs;
    for (const stream of this.#streams.values()) {
      for (const { seq, at, id } of [...stream.messages.values()].reverse()) {
        if (at < since) break;
        stream.messages.delete(seq);
        stream.ids.delete(id);
        stream.seq = seq - 1;
        for (const { consuming, open } of this.#consumers.values()) if (this.#streams.get(consuming.stream) === stream) open.delete(seq);
      }
    }
  }

  /** Whatever is down comes back at once. */
  heal(): void {
    this.#comeBack();
  }
}
