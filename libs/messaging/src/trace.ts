import { context, ROOT_CONTEXT, SpanKind, trace, type Context, type Span, type SpanContext } from '@opentelemetry/api';
import type { Work } from './lane.ts';

const tracer = trace.getTracer('@yunshi/messaging');

const traceparentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A context whose spans continue the given trace. */
export function contextOf(traceparent: string | undefined): Context {
  const parts = traceparent === undefined ? null : traceparentForm.exec(traceparent);
  if (!parts) return ROOT_CONTEXT;
  const [, traceId, spanId, flags] = parts as unknown as [string, string, string, string];
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
}

const written = (of: SpanContext): string => `00-${of.traceId}-${of.spanId}-${of.traceFlags.toString(16).padStart(2, '0')}`;

/** The traceparent (W3C Trace Context) of a span, or nothing where no trace is running. */
export function traceparentOf(span: Span | undefined): string | undefined {
  const of = span?.spanContext();
  return of && trace.isSpanContextValid(of) ? written(of) : undefined;
}

export const activeTraceparent = (): string | undefined => traceparentOf(trace.getActiveSpan());

const verbs = { message: 'process', command: 'process', write: 'write', deadline: 'deadline', call: 'outcome', wake: 'wake' } as const;

/** The span of one piece of work, from being queued to being committed. */
export function workSpan(work: Work): Span {
  const verb = verbs[work.identity.kind];
  const isMessage = work.identity.kind === 'message' || work.identity.kind === 'command';
  return tracer.startSpan(
    `${verb} ${work.handler.subject ?? work.handler.name}`,
    {
      kind: isMessage ? SpanKind.CONSUMER : SpanKind.INTERNAL,
      attributes: isMessage
        ? {
            'messaging.system.name': 'nats',
            'messaging.operation.name': 'process',
            'messaging.operation.type': 'process',
            'messaging.destination.name': work.handler.subject ?? work.handler.name,
            'messaging.message.id': 'id' in work.identity ? work.identity.id : '',
          }
        : {},
    },
    contextOf(work.traceparent),
  );
}

/** Runs `action` inside a span that continues the given trace; the span ends when the promise does. */
export async function inSpan<T>(
  name: string,
  kind: SpanKind,
  traceparent: string | undefined,
  action: (span: Span) => Promise<T>,
): Promise<T> {
  const parent = contextOf(traceparent);
  const span = tracer.startSpan(name, { kind }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => action(span));
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Records that a message was handed to the stream, as a PRODUCER span; answers the traceparent that the message carries. */
export function publishSpan(subject: string, messageId: string, traceparent: string | undefined): Span {
  return tracer.startSpan(
    `publish ${subject}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system.name': 'nats',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': subject,
        'messaging.message.id': messageId,
      },
    },
    contextOf(traceparent),
  );
}
