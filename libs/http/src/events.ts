import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Problem } from './problem.ts';

/** For a route's `schema.response`: `200: eventStream`. */
export const eventStream = {
  description: 'Server-sent events',
  content: { 'text/event-stream': { schema: z.string() } },
};

/** One server-sent event. `id` comes back as `lastEventId` when the client connects again; `data` is sent as JSON. */
export type StreamEvent = { readonly id?: string; readonly event?: string; readonly data: unknown };

export type EventSource = (context: {
  /** What the client saw last, when it comes back after a break. */
  readonly lastEventId: string | undefined;
  /** Aborted when the client has gone, a limit is reached or the server stops. */
  readonly signal: AbortSignal;
}) => AsyncIterable<StreamEvent>;

export type StreamLimits = {
  /** A comment this often keeps proxies from closing a quiet stream. */
  readonly heartbeatMs: number;
  /** How long the client should wait before it connects again. */
  readonly retryMs: number;
  /** A stream ends after this long; the client connects again by itself, with a fresh look at its token. */
  readonly durationMsMax: number;
  readonly streamsPerAccountMax: number;
  readonly streamsMax: number;
};
export const streamLimits: StreamLimits = {
  heartbeatMs: 15_000,
  retryMs: 2_000,
  durationMsMax: 15 * 60_000,
  streamsPerAccountMax: 20,
  streamsMax: 2_000,
};

const eventIdCharsMax = 256;

type Open = { readonly account: string; readonly end: () => void };

/** The open streams of one server, so that it can limit them, and end them when it stops. */
export class EventStreams {
  readonly #open = new Set<Open>();

  get size(): number {
    return this.#open.size;
  }

  add(stream: Open, limits: StreamLimits): void {
    const ofAccount = [...this.#open].filter(({ account }) => account === stream.account).length;
    if (this.#open.size >= limits.streamsMax || ofAccount >= limits.streamsPerAccountMax) {
      throw new Problem('too-many-streams', { headers: { 'retry-after': '30' } });
    }
    this.#open.add(stream);
  }

  delete(stream: Open): void {
    this.#open.delete(stream);
  }

  endAll(): void {
    for (const stream of this.#open) stream.end();
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    eventStreams: EventStreams;
  }
}

const line = (text: string): string => text.replaceAll(/[\r\n\0]/g, ' ');

/** The event as it goes over the wire. JSON has no raw line breaks, so `data` is always one line. */
export function frame({ id, event, data }: StreamEvent): string {
  const head = `${id === undefined ? '' : `id: ${line(id)}\n`}${event === undefined ? '' : `event: ${line(event)}\n`}`;
  return `${head}data: ${JSON.stringify(data ?? null)}\n\n`;
}

/**
 * Answers with server-sent events until the source ends, the client goes, the token expires or a limit is reached. Check what
 * the caller may see before calling this: once the stream has begun there is no status to refuse with.
 */
export async function streamEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  source: EventSource,
  changed: Partial<StreamLimits> = {},
): Promise<void> {
  const limits = { ...streamLimits, ...changed };
  const ended = new AbortController();
  const streams = request.server.eventStreams;
  const stream: Open = { account: request.verified?.caller.accountId ?? request.ip, end: () => ended.abort() };
  streams.add(stream, limits);

  const response = reply.raw;
  const tokenLifeMs = (request.verified?.expiresAtMs ?? Infinity) - Date.now();
  const limit = setTimeout(() => ended.abort(), Math.max(0, Math.min(limits.durationMsMax, tokenLifeMs)));
  const heartbeat = setInterval(() => response.write(': still here\n\n'), limits.heartbeatMs);
  response.on('close', () => ended.abort());

  reply.hijack();
  try {
    response.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // nginx would hold events back until its buffer is full.
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${limits.retryMs}\n\n`);
    await pump(source, request, response, ended.signal);
  } catch (error) {
    request.log.error({ err: error }, 'an event stream broke');
  } finally {
    clearTimeout(limit);
    clearInterval(heartbeat);
    ended.abort();
    streams.delete(stream);
    response.end();
  }
}

async function pump(source: EventSource, request: FastifyRequest, response: FastifyReply['raw'], signal: AbortSignal): Promise<void> {
  const header = request.headers['last-event-id'];
  const lastEventId = typeof header === 'string' && header.length <= eventIdCharsMax ? header : undefined;
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
  const events = source({ lastEventId, signal })[Symbol.asyncIterator]();
  try {
    while (!signal.aborted) {
      const next = await Promise.race([events.next(), aborted]);
      if (next === 'aborted' || next.done) return;
      if (response.write(frame(next.value))) continue;
      // A client that reads slowly is waited for, not buffered for.
      await Promise.race([new Promise((resolve) => response.once('drain', resolve)), aborted]);
    }
  } finally {
    // Not awaited: a source that is stuck in its own await must not keep the response from ending; `signal` tells it to give up.
    void Promise.resolve(events.return?.()).catch(() => undefined);
  }
}
