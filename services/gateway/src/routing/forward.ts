import { randomBytes } from 'node:crypto';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { Problem } from '@yunshi/http/problem';
import { httpLimits } from '@yunshi/http/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errors, Pool, type Dispatcher } from 'undici';
import { requestHeaders, responseHeaders } from './headers.ts';
import { upstreamNames, type UpstreamName } from './table.ts';

export type ForwardLimits = {
  /** To one service. Each open event stream holds one, so fewer than the gateway has clients would let streams block requests. */
  readonly connectionsMax: number;
  readonly connectMsMax: number;
  /** Until the upstream begins to answer; longer than its own limit, so that its own problem arrives. */
  readonly answerMsMax: number;
  /** Of silence within an answer; longer than the heartbeat of event streams. */
  readonly silenceMsMax: number;
};
export const forwardLimits: ForwardLimits = {
  connectionsMax: httpLimits.connectionsMax,
  connectMsMax: 1_000,
  answerMsMax: 20_000,
  silenceMsMax: 60_000,
};

export type Forwarder = ReturnType<typeof forwarder>;

const reads = new Set(['GET', 'HEAD']);

function traceparentFor(request: FastifyRequest): string | undefined {
  // With telemetry every call of undici carries the active trace already; a second header would make it invalid.
  const active = trace.getActiveSpan()?.spanContext();
  if (active && isSpanContextValid(active)) return undefined;
  const { traceparent } = request.headers;
  if (typeof traceparent === 'string' && traceparent.includes(request.traceId)) return traceparent;
  return `00-${request.traceId}-${randomBytes(8).toString('hex')}-00`;
}

function problemOf(error: unknown, to: UpstreamName): Problem {
  if (error instanceof errors.HeadersTimeoutError) {
    return new Problem('timed-out', { detail: `The service ${to} took too long to answer.`, cause: error });
  }
  const detail = `The service ${to} does not answer at the moment.`;
  return new Problem('unavailable', { detail, headers: { 'retry-after': '2' }, cause: error });
}

/** Whether a connection broke before anything was answered: a kept-alive one that its server was just closing, for one. */
const brokeEarly = (error: unknown): boolean =>
  error instanceof errors.SocketError ||
  (error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'));

/** Why an exchange was given up by us; nobody is left to tell, or the stream is ended on purpose. */
class GivenUp extends Error {
  readonly why: 'client gone' | 'stopping';
  constructor(why: 'client gone' | 'stopping') {
    super(why);
    this.name = 'GivenUp';
    this.why = why;
  }
}

/**
 * Passes one request on and its answer back, chunk by chunk, no faster than the client reads. Resolves when the answer has gone
 * through, or broken off in the middle; rejects when there was none.
 */
function exchange(pool: Pool, options: Dispatcher.DispatchOptions, reply: FastifyReply, streams: Set<() => void>): Promise<void> {
  const { raw, request } = reply;
  let controller: Dispatcher.DispatchController | undefined;
  let live: (() => void) | undefined;
  let over = false;
  // Every client goes in the end; an error that nobody needs is not made for it.
  const giveUp = (why: GivenUp['why']) => !over && controller?.abort(new GivenUp(why));
  raw.once('close', () => giveUp('client gone'));
  return new Promise((resolve, reject) => {
    pool.dispatch(options, {
      onRequestStart: (begun) => {
        controller = begun;
        if (raw.destroyed) giveUp('client gone');
      },
      onResponseStart: (_, status, headers) => {
        if (status < 200) return;
        // From here on the answer is the service's; the limit on handlers must not cut an event stream.
        reply.hijack();
        raw.writeHead(status, { ...(reply.getHeaders() as Record<string, string>), ...responseHeaders(headers) });
        raw.on('drain', () => controller?.resume());
        if (!String(headers['content-type']).startsWith('text/event-stream')) return;
        // An event stream has a head long before it has an event, and no end of its own.
        raw.flushHeaders();
        streams.add((live = () => giveUp('stopping')));
      },
      onResponseData: (_, chunk) => {
        if (!raw.write(chunk)) controller?.pause();
      },
      onResponseEnd: () => {
        over = true;
        if (live) streams.delete(live);
        raw.end();
        resolve();
      },
      onResponseError: (_, error) => {
        over = true;
        if (live) streams.delete(live);
        if (!raw.headersSent) return reject(error);
        if (error instanceof GivenUp) raw.end();
        else {
          request.log.warn({ err: error }, 'an answer broke off');
          raw.destroy();
        }
        return resolve();
      },
    });
  });
}

/** Hands requests on to the services, over pools of kept-alive connections, and their answers back as they come. */
export function forwarder(urls: Readonly<Record<UpstreamName, string>>, limits: ForwardLimits = forwardLimits) {
  const pools = new Map(
    upstreamNames.map((name) => [
      name,
      new Pool(new URL(urls[name]).origin, {
        connections: limits.connectionsMax,
        connect: { timeout: limits.connectMsMax },
        headersTimeout: limits.answerMsMax,
        bodyTimeout: limits.silenceMsMax,
        pipelining: 1,
      }),
    ]),
  );
  const streams = new Set<() => void>();

  return {
    async forward(to: UpstreamName, request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const pool = pools.get(to)!;
      const options: Dispatcher.DispatchOptions = {
        method: request.method as Dispatcher.HttpMethod,
        path: request.url,
        headers: requestHeaders(request.headers, {
          address: request.ip,
          protocol: request.protocol,
          host: request.host,
          requestId: request.id,
          traceparent: traceparentFor(request),
        }),
        body: Buffer.isBuffer(request.body) && request.body.length > 0 ? request.body : null,
      };
      try {
        await exchange(pool, options, reply, streams).catch((error: unknown) => {
          // Only what changes nothing is asked again; a write may have been carried out.
          if (reads.has(request.method) && brokeEarly(error)) return exchange(pool, options, reply, streams);
          throw error;
        });
      } catch (error) {
        if (error instanceof GivenUp) reply.hijack();
        else throw problemOf(error, to);
      }
    },
    /** Ends the event streams that run through here; their clients connect again, to whoever takes over. */
    endStreams: () => streams.forEach((end) => end()),
    close: async () => void (await Promise.all([...pools.values()].map((pool) => pool.destroy()))),
  };
}
