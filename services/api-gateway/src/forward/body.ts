import type { IncomingMessage } from 'node:http';
import { forwardPolicy } from '../policy.ts';

export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

/** What goes to the upstream: nothing, all of it, or a stream whose first piece is there. `length` is what the caller said. */
export type Body = { readonly body: Buffer | AsyncIterable<Buffer> | null; readonly length?: string };

/**
 * Reads so much of a body that what follows will not wait for the caller before its head is sent: a small one whole, of a large one the
 * first piece. Throws `TooLarge`, or `NotSent` where the caller does not send it.
 */
export function readBody(request: IncomingMessage): Body | Promise<Body> {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (coding === undefined && (length === undefined || length === '0')) return length === '0' ? { body: Buffer.alloc(0) } : { body: null };
  if (length !== undefined && Number(length) > forwardPolicy.bodyBytesMax) throw new TooLarge();
  return begin(request, length);
}

async function begin(request: IncomingMessage, length: string | undefined): Promise<Body> {
  const pieces = request[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const timer = setTimeout(() => request.destroy(new NotSent()), forwardPolicy.bodyMsMax);
  try {
    const read: Buffer[] = [];
    let size = 0;
    while (size <= forwardPolicy.bufferedBytesMax) {
      const { value, done } = await pieces.next();
      if (done) return { body: Buffer.concat(read, size) };
      read.push(value);
      size += value.length;
    }
    return { body: rest(Buffer.concat(read, size), pieces), ...(length !== undefined && { length }) };
  } catch (error) {
    throw error instanceof NotSent ? error : new NotSent();
  } finally {
    clearTimeout(timer);
  }
}

async function* rest(first: Buffer, pieces: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  let size = first.length;
  yield first;
  for (;;) {
    const { value, done } = await pieces.next();
    if (done) return;
    size += value.length;
    if (size > forwardPolicy.bodyBytesMax) throw new TooLarge();
    yield value;
  }
}
