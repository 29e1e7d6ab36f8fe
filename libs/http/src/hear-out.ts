import type { IncomingMessage } from 'node:http';

/** What a client may go on sending after it was refused, and for how long, before it is answered all the same. */
export const hearOutLimits = { bytesMax: 8 * 1024 * 1024, msMax: 2_000 } as const;

/**
 * Reads the rest of a body that is not wanted, and drops it. A client that is still writing when its connection is closed may find a broken
 * pipe in place of the answer that says why; one that sends without end gets no more than the limits.
 */
export function hearOut(
  request: IncomingMessage,
  { bytesMax, msMax }: { readonly bytesMax: number; readonly msMax: number } = hearOutLimits,
): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let left = bytesMax;
    const timer = setTimeout(enough, msMax);
    function enough(): void {
      clearTimeout(timer);
      request.off('data', count).off('end', enough).off('close', enough).off('error', enough);
      resolve();
    }
    function count(chunk: Buffer): void {
      left -= chunk.length;
      if (left <= 0) enough();
    }
    request.on('data', count).once('end', enough).once('close', enough).once('error', enough).resume();
  });
}
