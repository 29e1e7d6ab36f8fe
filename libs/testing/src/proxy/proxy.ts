import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { isAck, isPubAck, natsFrames, postgresFrames, tellsCommitted, type Framer } from './frames.ts';

/** What a proxy does to those who talk through it; all of it off to begin with. Chances are from 0 to 1. */
export type Mischief = {
  /** PostgreSQL: the server has committed; the connection is cut before the client hears of it. */
  cutAfterCommit: number;
  /** NATS: the stream has stored a message; its acknowledgement disappears. */
  dropPubAck: number;
  /** NATS: a consumer's acknowledgement disappears, so that the message comes again. */
  dropAck: number;
  /** Milliseconds that everything takes longer, in each direction. */
  latencyMs: number;
  /** Nothing comes through, in neither direction, and nobody is told. */
  silent: boolean;
};

/** How often the mischief happened. */
export type Counts = { cutAfterCommit: number; dropPubAck: number; dropAck: number; delayed: number; held: number; reset: number };

export type Proxy = {
  readonly port: number;
  readonly mischief: Mischief;
  readonly counts: Counts;
  /** Cuts every connection on the spot. */
  readonly reset: () => void;
  /** Ends all mischief; what was held back goes on its way. */
  readonly behave: () => void;
  readonly stop: () => Promise<void>;
};

type ProxyOptions = {
  readonly protocol: 'postgres' | 'nats';
  /** Of the server behind it. */
  readonly port: number;
  /** Draws a number in [0, 1) for every chance. */
  readonly chance: () => number;
};

const wellBehaved = (): Mischief => ({ cutAfterCommit: 0, dropPubAck: 0, dropAck: 0, latencyMs: 0, silent: false });

/** What becomes of a message on its way. */
type Verdict = 'passes' | 'dropped' | 'cut';
type Judge = (frame: Buffer) => Verdict;

/**
 * Stands between one client and one server, and reads what they say. It goes wrong where it hurts most: between what a server has done and
 * the moment at which the client learns of it.
 */
export async function startProxy({ protocol, port, chance }: ProxyOptions): Promise<Proxy> {
  const mischief = wellBehaved();
  const counts: Counts = { cutAfterCommit: 0, dropPubAck: 0, dropAck: 0, delayed: 0, held: 0, reset: 0 };
  const pairs = new Set<Pair>();
  type Chancy = 'cutAfterCommit' | 'dropPubAck' | 'dropAck';
  const happens = (what: Chancy, isIt: (frame: Buffer) => boolean, frame: Buffer): boolean => {
    const does = mischief[what] > 0 && isIt(frame) && chance() < mischief[what];
    if (does) counts[what]++;
    return does;
  };
  const judges: Record<ProxyOptions['protocol'], { down: Judge; up?: Judge; frames: () => Framer }> = {
    postgres: { frames: postgresFrames, down: (frame) => (happens('cutAfterCommit', tellsCommitted, frame) ? 'cut' : 'passes') },
    nats: {
      frames: natsFrames,
      down: (frame) => (happens('dropPubAck', isPubAck, frame) ? 'dropped' : 'passes'),
      up: (frame) => (happens('dropAck', isAck, frame) ? 'dropped' : 'passes'),
    },
  };
  const { frames, down, up } = judges[protocol];

  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    const pair = join(client, upstream, () => pairs.delete(pair));
    pairs.add(pair);
    carry(client, upstream, { mischief, counts, cut: pair.cut, ...(up && { frames: frames(), judge: up }) });
    carry(upstream, client, { mischief, counts, cut: pair.cut, frames: frames(), judge: down });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  const cutAll = (): void => pairs.forEach((pair) => pair.cut());
  return {
    port: (server.address() as AddressInfo).port,
    mischief,
    counts,
    reset() {
      counts.reset += pairs.size;
      cutAll();
    },
    behave: () => void Object.assign(mischief, wellBehaved()),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cutAll();
      }),
  };
}

type Pair = { readonly cut: () => void };

/** Two sockets that end together. */
function join(client: Socket, upstream: Socket, ended: () => void): Pair {
  const cut = (): void => {
    client.resetAndDestroy();
    upstream.resetAndDestroy();
  };
  for (const socket of [client, upstream]) {
    socket.on('error', cut);
    socket.on('close', () => {
      ended();
      // What is still on its way to the other one, such as a farewell, arrives before its end.
      (socket === client ? upstream : client).destroySoon();
    });
  }
  return { cut };
}

type Carrying = {
  readonly mischief: Mischief;
  readonly counts: Counts;
  readonly cut: () => void;
  readonly frames?: Framer;
  readonly judge?: Judge;
};

const lookEveryMs = 20;

/** Carries bytes one way, late or not at all, but never in another order. */
function carry(from: Socket, to: Socket, { mischief, counts, cut, frames, judge }: Carrying): void {
  const waiting: { readonly chunk: Buffer; readonly dueMs: number }[] = [];
  let timer: NodeJS.Timeout | undefined;

  const deliver = (chunk: Buffer): void => {
    if (to.destroyed) return;
    if (!frames || !judge) return void to.write(chunk);
    const passing: Buffer[] = [];
    for (const frame of frames(chunk)) {
      const verdict = judge(frame);
      if (verdict === 'cut') return cut();
      if (verdict === 'passes') passing.push(frame);
    }
    if (passing.length > 0) to.write(passing.length === 1 ? passing[0]! : Buffer.concat(passing));
  };
  const look = (): void => {
    timer = undefined;
    while (!mischief.silent && waiting[0] && waiting[0].dueMs <= performance.now()) deliver(waiting.shift()!.chunk);
    if (waiting.length > 0) timer = setTimeout(look, mischief.silent ? lookEveryMs : Math.max(1, waiting[0]!.dueMs - performance.now()));
  };
  from.on('data', (chunk: Buffer) => {
    if (waiting.length === 0 && mischief.latencyMs === 0 && !mischief.silent) return deliver(chunk);
    if (mischief.silent) counts.held++;
    else counts.delayed++;
    waiting.push({ chunk, dueMs: performance.now() + mischief.latencyMs });
    if (!timer) look();
  });
  from.on('close', () => clearTimeout(timer));
}
