import { randomBytes } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { Problem } from '@yunshi/http/problem';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errors, Pool, type Dispatcher } from 'undici';
import { requestHeaders, responseHeaders } from './headers.ts';
import { upstreamNames, type UpstreamName } from './table.ts';

export type ForwardLimits = {
  readonly connectionsMax: number;
  readonly connectMsMax: number;
  /** Until the upstream begins to answer; longer than its own limit, so that its own problem arrives. */
  readonly answerMsMax: number;
  /** Of silence within an answer; longer than the heartbeat of event streams. */
  readonly silenceMsMax: number;
};
export const forwardLimits: ForwardLimits = {
  connectionsMax: 256,
  connectMsMax: 1_000,
  answerMsMax: 20_000,
  silenceMsMax: 60_000,
};

export type Forward = (to: UpstreamName, request: FastifyRequest, reply: FastifyReply) => Promise<void>;

const reads = new Set(['GET', 'HEAD', 'OPTIONS']);

function traceparentFor(request: FastifyRequest): string | undefined {
  // With telemetry every call of undici carries the active trace already; a second header would make it invalid.
  const active = trace.getActiveSpan()?.spanContext();
  if (active && isSpanContextValid(active)) return undefined;
  const { traceparent } = request.headers;
  if (typeof traceparent === 'string' && traceparent.includes(request.traceId)) return traceparent;
  return `00-${request.traceId}-${randomBytes(8).toString('hex')}-00`;
}

function problemOf(error: unknown, to: UpstreamName): Problem {
  const detail = `The service ${to} does not answer at the moment.`;
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    return new Problem('timed-out', { detail: `The service ${to} took too long to answer.`, cause: error });
  }
  return new Problem('unavailable', { detail, headers: { 'retry-after': '2' }, cause: error });
}

/** Whether a connection broke before anything was answered: a kept-alive one that its server was just closing, for one. */
const brokeEarly = (error: unknown): boolean =>
  error instanceof errors.SocketError ||
  (error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'));

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

  async function ask(to: UpstreamName, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
    const pool = pools.get(to)!;
    try {
      return await pool.request(options);
    } catch (error) {
      // Only what changes nothing is asked again; a write may have been carried out.
      if (!reads.has(options.method) || !brokeEarly(error)) throw error;
      return pool.request(options);
    }
  }

  const forward: Forward = async (to, request, reply) => {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const body = Buffer.isBuffer(request.body) && request.body.length > 0 ? request.body : null;
    let answer: Dispatcher.ResponseData;
    try {
      answer = await ask(to, {
        method: request.method as Dispatcher.HttpMethod,
        path: request.url,
        headers: requestHeaders(request.headers, {
          address: request.ip,
          protocol: request.protocol,
          host: request.host,
          requestId: request.id,
          traceparent: traceparentFor(request),
        }),
        body,
        signal: gone.signal,
      });
    } catch (error) {
      // Nobody is left to tell.
      if (gone.signal.aborted) return void reply.hijack();
      throw problemOf(error, to);
    }
    // From here on the answer is the service's; the limit on handlers must not cut an event stream.
    reply.hijack();
    const headers = { ...(reply.getHeaders() as Record<string, string>), ...responseHeaders(answer.headers) };
    reply.raw.writeHead(answer.statusCode, headers);
    // An event stream has a head long before it has an event.
    if (String(headers['content-type']).startsWith('text/event-stream')) reply.raw.flushHeaders();
    await pipeline(answer.body, reply.raw).catch((error: unknown) => {
      if (!gone.signal.aborted) request.log.warn({ err: error, upstream: to }, 'an answer broke off');
      reply.raw.destroy();
    });
  };

  return { forward, close: async () => void (await Promise.all([...pools.values()].map((pool) => pool.destroy()))) };
}
