import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { context, SpanKind, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { httpServed } from './metrics.ts';
import { contextOf } from './trace.ts';

/** A probe every second per instance would be most of all traces and tell nothing. */
const untraced = new Set(['/livez', '/readyz']);

const tracer = trace.getTracer('@yunshi/telemetry/server');
const running = Symbol('trace');

type Traced = FastifyRequest & { [running]?: Context };

/**
 * Gives every request to a fastify server of this process one SERVER span, named by its route. Servers need not know:
 * fastify announces itself when it is made. Nothing is patched, and hooks and handlers get no spans of their own.
 */
export function traceServers(): () => void {
  const announced = (message: unknown): void => instrument((message as { fastify: FastifyInstance }).fastify);
  subscribe('fastify.initialization', announced);
  return () => unsubscribe('fastify.initialization', announced);
}

function instrument(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const route = request.routeOptions.url;
    if (route !== undefined && untraced.has(route)) return done();
    const within = begin(request, reply, route);
    (request as Traced)[running] = within;
    context.with(within, done);
  });
  // Reading a body goes through events of the socket, which belong to no request.
  fastify.addHook('preValidation', (request, _reply, done) => {
    const within = (request as Traced)[running];
    if (within) context.with(within, done);
    else done();
  });
}

function begin(request: FastifyRequest, reply: FastifyReply, route: string | undefined): Context {
  const startedMs = performance.now();
  const { method } = request;
  const { traceparent } = request.headers;
  const parent = contextOf(typeof traceparent === 'string' ? traceparent : undefined);
  const span = tracer.startSpan(
    route === undefined ? method : `${method} ${route}`,
    {
      kind: SpanKind.SERVER,
      attributes: { 'http.request.method': method, 'url.scheme': request.protocol, ...(route !== undefined && { 'http.route': route }) },
    },
    parent,
  );
  if (span.isRecording()) span.setAttribute('url.path', pathOf(request.url));
  // `close` comes in the end in any case: answered, hijacked for a stream of events, or given up by the caller.
  reply.raw.once('close', () =>
    end(span, { method, route, status: reply.raw.statusCode, startedMs, finished: reply.raw.writableFinished }),
  );
  return trace.setSpan(parent, span);
}

/** Queries are left out: they may hold what nobody should read in a trace. */
const pathOf = (url: string): string => {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
};

type Served = { method: string; route: string | undefined; status: number; startedMs: number; finished: boolean };

function end(span: Span, { method, route, status, startedMs, finished }: Served): void {
  httpServed({ method, route, status, seconds: (performance.now() - startedMs) / 1000 });
  if (span.isRecording()) {
    span.setAttribute('http.response.status_code', status);
    if (!finished) span.setAttribute('error.type', 'aborted');
    if (status >= 500) {
      span.setAttribute('error.type', String(status));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
  }
  span.end();
}

/** The id of the trace of a request. For places that run outside it, such as the handling of a body that cannot be parsed. */
export function traceIdOf(request: object): string | undefined {
  const within = (request as Partial<Traced>)[running];
  return within && trace.getSpanContext(within)?.traceId;
}
