import { AsyncLocalStorage } from 'node:async_hooks';
import { randomFillSync } from 'node:crypto';
import {
  context as contexts,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Context,
  type ContextManager,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';

/**
 * What runs where nothing is exported: ids travel, nothing is recorded. Loading the SDK for this would cost every service
 * 160 ms of start and 37 MB (measured, see docs/decisions), so these are the two small parts of it that are needed.
 */
export function propagateOnly(): void {
  contexts.setGlobalContextManager(new Contexts());
  trace.setGlobalTracerProvider(new IdsOnly());
}

class Contexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, () => fn.apply(thisArg, args));
  }

  bind<T>(context: Context, target: T): T {
    if (typeof target !== 'function') return target;
    const storage = this.#storage;
    const fn = target as (...args: unknown[]) => unknown;
    return function (this: unknown, ...args: unknown[]) {
      return storage.run(context, () => fn.apply(this, args));
    } as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}

/** Ids are drawn from a pool: one call into the operating system for 64 traces instead of one for each. */
const pool = Buffer.alloc(64 * 24);
let drawn = pool.length;

function draw(bytes: number): string {
  if (drawn + bytes > pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  drawn += bytes;
  return pool.toString('hex', drawn - bytes, drawn);
}

/** A span within a trace is its parent: with nothing recorded there is nothing to tell them apart. Only a new trace draws ids. */
class IdsOnly implements Tracer, TracerProvider {
  getTracer(): Tracer {
    return this;
  }

  startSpan(_name: string, options?: SpanOptions, context: Context = contexts.active()): Span {
    const parent = options?.root === true ? undefined : trace.getSpanContext(context);
    if (parent && trace.isSpanContextValid(parent)) return trace.wrapSpanContext(parent);
    return trace.wrapSpanContext({ traceId: draw(16), spanId: draw(8), traceFlags: TraceFlags.NONE });
  }

  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    ...rest: [F] | [SpanOptions, F] | [SpanOptions, Context, F]
  ): ReturnType<F> {
    const fn = rest.at(-1) as F;
    const options = rest.length > 1 ? (rest[0] as SpanOptions) : {};
    const parent = rest.length > 2 ? (rest[1] as Context) : contexts.active();
    const span = this.startSpan(name, options, parent);
    return contexts.with(trace.setSpan(parent, span), () => fn(span)) as ReturnType<F>;
  }
}
