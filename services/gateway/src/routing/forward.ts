import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
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

/** Event streams do not end by themselves, so stopping has to end them: cleanly, so that the client sees an end and no error. */
function liveStreams() {
  const open = new Set<AbortController>();
  return {
    endAll: () => open.forEach((stream) => stream.abort()),
    async carry(body: Dispatcher.ResponseData['body'], to: ServerResponse, gone: AbortSignal): Promise<void> {
      const ended = new AbortController();
      open.add(ended);
      const stop = () => body.destroy();
      ended.signal.addEventListener('abort', stop, { once: true });
      // The head comes long before the first event.
      to.flushHeaders();
      try {
        for await (const chunk of body) {
          if (!to.write(chunk)) await once(to, 'drain', { signal: AbortSignal.any([gone, ended.signal]) });
        }
      } catch (error) {
        if (!ended.signal.aborted) throw error;
      } finally {
        open.delete(ended);
      }
      to.end();
    },
  };
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

  const streams = liveStreams();

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

  const forward = async (to: UpstreamName, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
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
    const live = String(headers['content-type']).startsWith('text/event-stream');
    try {
      await (live ? streams.carry(answer.body, reply.raw, gone.signal) : pipeline(answer.body, reply.raw));
    } catch (error) {
      if (!gone.signal.aborted) request.log.warn({ err: error, upstream: to }, 'an answer broke off');
      reply.raw.destroy();
    }
  };

  return {
    forward,
    /** Ends the event streams that run through here; their clients connect again, to whoever takes over. */
    endStreams: () => streams.endAll(),
    close: async () => void (await Promise.all([...pools.values()].map((pool) => pool.destroy()))),
  };
}
