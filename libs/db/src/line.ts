import { Socket } from 'node:net';

/** Where postgres.js wants to connect to, as it has read it from the URL. */
type Destination = { readonly host: readonly string[]; readonly port: readonly number[]; readonly path?: string | false };

const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5]);

/**
 * A connection that, once PostgreSQL has said that it is ready, ends without an error, whatever ends it. postgres.js rejects all that is
 * pending when a connection ends; but when it breaks, it does so one turn before the end, and forgets what is asked in between: that
 * would never be answered, and on the next connection be given the answers to others. Before it is ready, an error says why it cannot be.
 * TLS connections are made by postgres.js itself, on top of this one, and are not mended.
 */
class Line extends Socket {
  #isReady = false;

  constructor() {
    super();
    const look = (said: Buffer): void => {
      if (!said.subarray(-6, -1).equals(readyForQuery)) return;
      this.#isReady = true;
      this.off('data', look);
    };
    this.on('data', look);
  }

  override destroy(error?: Error): this {
    return super.destroy(this.#isReady ? undefined : error);
  }
}

/** Makes the connections of one pool; of several hosts each next one goes to the next. */
export function lines(): (destination: Destination) => Socket {
  let next = 0;
  return ({ host, port, path }) => {
    const line = new Line();
    const nth = next++ % host.length;
    return typeof path === 'string' && path !== '' ? line.connect(path) : line.connect(port[nth]!, host[nth]!);
  };
}
