import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { context, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { httpCalled } from './metrics.ts';
import { traceparentOf, unrecordedBelow } from './trace.ts';

const tracer = trace.getTracer('@yunshi/telemetry/client');

/** The part of undici's request that its channels promise. */
type Request = {
  readonly origin: string | URL;
  readonly method: string;
  readonly path: string;
  addHeader(name: string, value: string): unknown;
};
type Call = { readonly span: Span; readonly method: string; readonly host: string; readonly startedMs: number; status?: number };

/**
 * Gives every call made by undici or by the global `fetch` (which is undici too) one CLIENT span, and hands the trace on.
 * A call that is made outside any trace is left alone: it could only begin traces that nobody asks for.
 */
export function traceCalls(): () => void {
  const calls = new WeakMap<object, Call>();

  const created = (message: unknown): void => {
    const { request } = message as { request: Request };
    const active = trace.getActiveSpan();
    if (!active) return;
    const call = begin(request, active);
    calls.set(request, call);
    const traceparent = traceparentOf(call.span);
    if (traceparent !== undefined) request.addHeader('traceparent', traceparent);
  };
  const answered = (message: unknown): void => {
    const { request, response } = message as { request: object; response: { statusCode: number } };
    const call = calls.get(request);
    if (call) call.status = response.statusCode;
  };
  const ended = (message: unknown): void => {
    const { request, error } = message as { request: object; error?: Error };
    const call = calls.get(request);
    if (call && calls.delete(request)) end(call, error);
  };

  const channels = [
    ['undici:request:create', created],
    ['undici:request:headers', answered],
    ['undici:request:trailers', ended],
    ['undici:request:error', ended],
  ] as const;
  for (const [name, listener] of channels) subscribe(name, listener);
  return () => {
    for (const [name, listener] of channels) unsubscribe(name, listener);
  };
}

function begin(request: Request, active: Span): Call {
  const { origin, method } = request;
  const base = String(origin);
  const span = unrecordedBelow(active) ?? clientSpan(request, base);
  return { span, method, host: base.slice(base.indexOf('//') + 2), startedMs: performance.now() };
}

function clientSpan({ method, path }: Request, base: string): Span {
  const span = tracer.startSpan(method, { kind: SpanKind.CLIENT, attributes: { 'http.request.method': method } }, context.active());
  if (span.isRecording()) {
    const { hostname, port, protocol } = new URL(base);
    const query = path.indexOf('?');
    span.setAttribute('server.address', hostname);
    span.setAttribute('server.port', Number(port) || (protocol === 'https:' ? 443 : 80));
    // Without the query: signatures and tokens of other people's protocols travel there.
    span.setAttribute('url.full', base + (query < 0 ? path : path.slice(0, query)));
  }
  return span;
}

function end({ span, method, host, startedMs, status }: Call, error: Error | undefined): void {
  httpCalled({ method, host, status, error: error?.name, seconds: (performance.now() - startedMs) / 1000 });
  if (span.isRecording()) {
    if (status !== undefined) span.setAttribute('http.response.status_code', status);
    if (error) span.setAttribute('error.type', error.name);
    else if (status !== undefined && status >= 400) span.setAttribute('error.type', String(status));
    if (error || (status !== undefined && status >= 400))
      span.setStatus({ code: SpanStatusCode.ERROR, ...(error && { message: error.message }) });
  }
  span.end();
}
