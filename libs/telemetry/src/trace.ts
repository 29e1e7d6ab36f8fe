import {
  context,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
} from '@opentelemetry/api';

const tracer = trace.getTracer('@yunshi/telemetry');

const traceparentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Whether a trace that is not recorded at its beginning is recorded nowhere, as the samplers `parentbased_…` have it. */
let parentsDecide = true;
export function setParentsDecide(value: boolean): void {
  parentsDecide = value;
}

/** Stands for the spans of a trace that nobody records: the ids of whoever is above go on, and nothing else is done or kept. */
class Unrecorded implements Span {
  readonly traceparent: string;
  #context: SpanContext | undefined;

  constructor(traceparent: string) {
    this.traceparent = traceparent;
  }

  spanContext(): SpanContext {
    return (this.#context ??= trace.getSpanContext(contextOf(this.traceparent))!);
  }
  isRecording(): boolean {
    return false;
  }
  setAttribute(): this {
    return this;
  }
  setAttributes(): this {
    return this;
  }
  addEvent(): this {
    return this;
  }
  addLink(): this {
    return this;
  }
  addLinks(): this {
    return this;
  }
  setStatus(): this {
    return this;
  }
  updateName(): this {
    return this;
  }
  end(): void {}
  recordException(): void {}
}

/**
 * Nine of ten traces are not recorded, and each passes through dozens of spans. This answers what to use instead of a span of such a
 * trace; nothing, where a span is needed. To be asked before its name and attributes are made.
 */
export const unrecorded = (traceparent: string | undefined): Span | undefined =>
  parentsDecide && traceparent?.endsWith('-00') && traceparentForm.test(traceparent) ? new Unrecorded(traceparent) : undefined;

/** As `unrecorded`, below a span of this process. */
export const unrecordedBelow = (span: Span | undefined): Span | undefined =>
  parentsDecide && span && !span.isRecording() && span.spanContext().traceFlags === TraceFlags.NONE ? span : undefined;

/** The traceparent (W3C Trace Context) of a span, or nothing where no trace is running. */
export function traceparentOf(span: Span | undefined): string | undefined {
  if (span instanceof Unrecorded) return span.traceparent;
  const of = span?.spanContext();
  if (!of || !trace.isSpanContextValid(of)) return undefined;
  return `00-${of.traceId}-${of.spanId}-${of.traceFlags.toString(16).padStart(2, '0')}`;
}

export const activeTraceparent = (): string | undefined => traceparentOf(trace.getActiveSpan());

/** For logs and problem documents: what a caller can quote, and an operator can look up. */
export function activeTraceId(): string | undefined {
  const of = trace.getActiveSpan()?.spanContext();
  return of && trace.isSpanContextValid(of) ? of.traceId : undefined;
}

/** A context whose spans continue the given trace. Without one, or with one that is malformed, they begin a new trace. */
export function contextOf(traceparent: string | undefined): Context {
  const parts = traceparent === undefined ? null : traceparentForm.exec(traceparent);
  if (!parts) return ROOT_CONTEXT;
  const [, traceId, spanId, flags] = parts as unknown as [string, string, string, string];
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true });
}

const traceOf = (traceparent: string | undefined): string | undefined => traceparent && traceparentForm.exec(traceparent)?.[1];

/**
 * Where something goes on that belongs to the trace of `owner`: at `current`, if that is the same trace, because it says more exactly what
 * caused it; else at `owner`. Without an owner, at `current`.
 */
export const goesOn = (owner: string | undefined, current: string | undefined): string | undefined =>
  owner === undefined || traceOf(owner) === traceOf(current) ? current : owner;

/** Runs `fn` so that the spans it starts and the calls it makes continue the given trace. Starts no span itself. */
export const withRemoteParent = <T>(traceparent: string | undefined, fn: () => T): T => context.with(contextOf(traceparent), fn);

/** Says that a span has to do with another trace without being its child, such as one of the many messages of a batch. */
export function linkTo(traceparent: string | undefined, attributes: Attributes = {}): readonly Link[] {
  const of = trace.getSpanContext(contextOf(traceparent));
  return of ? [{ context: of, attributes }] : [];
}

export type SpanDetails = {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: readonly Link[];
  /**
   * The trace to continue; `undefined`, said outright, begins a new one. Left out, the span belongs to whatever is running.
   * Work taken from a queue must say it: what happens to be running there is whoever woke the queue up.
   */
  readonly parent?: string | undefined;
};

const parentOf = (details: SpanDetails): Context => ('parent' in details ? contextOf(details.parent) : context.active());

export function startSpan(name: string, details: SpanDetails = {}): Span {
  const instead = 'parent' in details ? unrecorded(details.parent) : unrecordedBelow(trace.getActiveSpan());
  if (instead) return instead;
  const { kind, attributes, links } = details;
  const options = { ...(kind !== undefined && { kind }), ...(attributes && { attributes }), ...(links && { links: [...links] }) };
  return tracer.startSpan(name, options, parentOf(details));
}

/** Marks the span as failed. The message of the error goes with it, its stack does not: logs have that. */
export function failSpan(span: Span, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: 'error', message: String(error) };
  span.setAttribute('error.type', name);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Runs `fn` inside a span that ends when its promise does. */
export async function span<T>(name: string, details: SpanDetails, fn: (span: Span) => Promise<T> | T): Promise<T> {
  const running = startSpan(name, details);
  try {
    return await context.with(trace.setSpan(parentOf(details), running), () => fn(running));
  } catch (error) {
    failSpan(running, error);
    throw error;
  } finally {
    running.end();
  }
}
