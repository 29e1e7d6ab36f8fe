import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { httpServed } from './metrics.ts';
import { contextOf, unrecorded } from './trace.ts';

/** A probe every second per instance would be most of all traces and tell nothing. */
const untraced = new Set(['/livez', '/readyz']);

const tracer = trace.getTracer('@yunshi/telemetry/server');
const running = Symbol('trace');

type Served = {
  readonly method: string;
  route: string | undefined;
  readonly startedMs: number;
  readonly span: Span;
  readonly within: Context;
};
type Traced = FastifyRequest & { [running]?: Served };

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
    const served = begin(request, reply, route);
    (request as Traced)[running] = served;
    context.with(served.within, done);
  });
  // Reading a body goes through events of the socket, which belong to no request.
  fastify.addHook('preValidation', (request, _reply, done) => {
    const served = (request as Traced)[running];
    if (served) context.with(served.within, done);
    else done();
  });
}

function begin(request: FastifyRequest, reply: FastifyReply, route: string | undefined): Served {
  const startedMs = performance.now();
  const { method } = request;
  const given = request.headers['traceparent'];
  const traceparent = typeof given === 'string' ? given : undefined;
  const span = unrecorded(traceparent) ?? serverSpan(request, route, traceparent);
  const served: Served = { method, route, startedMs, span, within: trace.setSpan(ROOT_CONTEXT, span) };
  // `close` comes in the end in any case: answered, hijacked for a stream of events, or given up by the caller.
  reply.raw.once('close', () => end(served, reply.raw.statusCode, reply.raw.writableFinished));
  return served;
}

function serverSpan({ method, protocol, url }: FastifyRequest, route: string | undefined, traceparent: string | undefined): Span {
  const attributes = { 'http.request.method': method, 'url.scheme': protocol, ...(route !== undefined && { 'http.route': route }) };
  const span = tracer.startSpan(spanName(method, route), { kind: SpanKind.SERVER, attributes }, contextOf(traceparent));
  return span.isRecording() ? span.setAttribute('url.path', pathOf(url)) : span;
}

const spanName = (method: string, route: string | undefined): string => (route === undefined ? method : `${method} ${route}`);

/** Queries are left out: they may hold what nobody should read in a trace. */
const pathOf = (url: string): string => {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
};

function end({ span, method, route, startedMs }: Served, status: number, isFinished: boolean): void {
  httpServed({ method, route, status, seconds: (performance.now() - startedMs) / 1000 });
  if (span.isRecording()) {
    span.setAttribute('http.response.status_code', status);
    if (!isFinished) span.setAttribute('error.type', 'aborted');
    if (status >= 500) {
      span.setAttribute('error.type', String(status));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
  }
  span.end();
}

/** Says which route a request really takes, for a server whose own route only passes on whatever comes. Few names, never a path with ids. */
export function nameRoute(request: object, route: string): void {
  const served = (request as Partial<Traced>)[running];
  if (!served) return;
  served.route = route;
  served.span.updateName(spanName(served.method, route)).setAttribute('http.route', route);
}
