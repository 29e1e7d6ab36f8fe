import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { until } from './until.ts';

type Value = string | number | boolean | readonly Value[];

export type CollectedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly service: string;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
  readonly durationMs: number;
  readonly startedNs: bigint;
};

export type CollectedPoint = {
  readonly name: string;
  readonly service: string;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly value: number;
};

/** What to look for: all that is given must hold. A name that ends in `*` stands for every name that begins so. */
export type SpanPattern = Partial<Pick<CollectedSpan, 'name' | 'kind' | 'service' | 'failed'>> & {
  readonly attributes?: Readonly<Record<string, Value>>;
};

export type CollectedTrace = {
  readonly spans: readonly CollectedSpan[];
  /** Spans whose parent is not part of what was collected. One complete trace has one. */
  readonly roots: readonly CollectedSpan[];
  readonly hasSpan: (pattern: SpanPattern) => boolean;
  readonly find: (pattern: SpanPattern) => CollectedSpan | undefined;
  readonly childrenOf: (span: CollectedSpan) => readonly CollectedSpan[];
  /** Whether each pattern is found below the one before it, at any depth. */
  readonly hasPath: (...patterns: readonly SpanPattern[]) => boolean;
  /** The tree as text, for the message of a test that fails. */
  readonly drawn: () => string;
};

export type Collector = {
  readonly url: string;
  /** What a service needs in its environment to send everything here at once. */
  readonly env: (service: string) => Record<string, string>;
  readonly spans: () => readonly CollectedSpan[];
  readonly trace: (traceId: string) => CollectedTrace;
  /** Waits until the trace looks as wanted; the error shows how it looked instead. */
  readonly traceWhen: (traceId: string, wanted: (trace: CollectedTrace) => boolean, withinMs?: number) => Promise<CollectedTrace>;
  /** The latest value of each series of a metric: of a histogram, how many were recorded. */
  readonly points: (metric: string) => readonly CollectedPoint[];
  /** All that ever came, as it came: to look for what must not be in it. */
  readonly raw: () => string;
  readonly stop: () => Promise<void>;
};

/** A real OTLP/HTTP receiver (JSON) that keeps what it is sent in memory. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const points = new Map<string, CollectedPoint>();
  const texts: string[] = [];
  const server = createServer((request, response) => {
    void receive(request, response, { spans, points, texts }).catch(() => response.writeHead(400).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const trace = (traceId: string): CollectedTrace => treeOf(spans.filter((span) => span.traceId === traceId));
  return {
    url,
    env: (service) => ({
      OTEL_SERVICE_NAME: service,
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      OTEL_METRIC_EXPORT_TIMEOUT: '400',
    }),
    spans: () => spans,
    trace,
    traceWhen: async (traceId, wanted, withinMs = 10_000) => {
      try {
        return await until(() => (wanted(trace(traceId)) ? trace(traceId) : undefined), { within: withinMs });
      } catch (cause) {
        throw new Error(`the trace ${traceId} is not as wanted:\n${trace(traceId).drawn()}`, { cause });
      }
    },
    points: (metric) => [...points.values()].filter(({ name }) => name === metric),
    raw: () => texts.join('\n'),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Kept = { readonly spans: CollectedSpan[]; readonly points: Map<string, CollectedPoint>; readonly texts: string[] };

async function receive(request: IncomingMessage, response: ServerResponse, { spans, points, texts }: Kept): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
  texts.push(text);
  const body = JSON.parse(text) as Export;
  if (request.url === '/v1/traces') spans.push(...spansIn(body));
  else if (request.url === '/v1/metrics') for (const point of pointsIn(body)) points.set(keyOf(point), point);
  else return void response.writeHead(404).end();
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
}

/** The parts of an OTLP export, in its JSON form, that are read here. */
type Export = {
  readonly resourceSpans?: readonly {
    readonly resource: Holder;
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
  readonly resourceMetrics?: readonly {
    readonly resource: Holder;
    readonly scopeMetrics: readonly { readonly metrics: readonly WireMetric[] }[];
  }[];
};
type Holder = { readonly attributes?: readonly { readonly key: string; readonly value: WireValue }[] };
type WireValue = {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly WireValue[] };
};
type WireSpan = Holder & {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status?: { readonly code?: number };
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
};
type WirePoint = Holder & { readonly asDouble?: number; readonly asInt?: string | number; readonly count?: string | number };
type WireMetric = { readonly name: string } & Partial<Record<'gauge' | 'sum' | 'histogram', { readonly dataPoints: readonly WirePoint[] }>>;

const kinds = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

function valueOf(wire: WireValue): Value {
  if (wire.arrayValue) return (wire.arrayValue.values ?? []).map(valueOf);
  if (wire.intValue !== undefined) return Number(wire.intValue);
  return wire.stringValue ?? wire.doubleValue ?? wire.boolValue ?? '';
}
const attributesOf = (of: Holder): Record<string, Value> =>
  Object.fromEntries((of.attributes ?? []).map(({ key, value }) => [key, valueOf(value)]));
const serviceOf = (resource: Holder): string => String(attributesOf(resource)['service.name'] ?? 'unknown');

function spansIn({ resourceSpans = [] }: Export): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentId: span.parentSpanId || undefined,
        name: span.name,
        kind: kinds[span.kind] ?? 'internal',
        service: serviceOf(resource),
        attributes: attributesOf(span),
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
        failed: span.status?.code === 2,
        durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
        startedNs: BigInt(span.startTimeUnixNano),
      })),
    ),
  );
}

function pointsIn({ resourceMetrics = [] }: Export): CollectedPoint[] {
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics
      .flatMap((scope) => scope.metrics)
      .flatMap((metric) =>
        ((metric.gauge ?? metric.sum ?? metric.histogram)?.dataPoints ?? []).map((point) => ({
          name: metric.name,
          service: serviceOf(resource),
          attributes: attributesOf(point),
          value: Number(point.count ?? point.asDouble ?? point.asInt ?? 0),
        })),
      ),
  );
}
const keyOf = ({ name, service, attributes }: CollectedPoint): string => JSON.stringify([name, service, attributes]);

function fits(span: CollectedSpan, { name, attributes = {}, ...rest }: SpanPattern): boolean {
  if (name !== undefined && (name.endsWith('*') ? !span.name.startsWith(name.slice(0, -1)) : span.name !== name)) return false;
  if (Object.entries(attributes).some(([key, value]) => span.attributes[key] !== value)) return false;
  return Object.entries(rest).every(([key, value]) => span[key as keyof CollectedSpan] === value);
}

function treeOf(spans: readonly CollectedSpan[]): CollectedTrace {
  const known = new Set(spans.map((span) => span.spanId));
  const byStart = (one: CollectedSpan, other: CollectedSpan) => Number(one.startedNs - other.startedNs);
  const roots = spans.filter((span) => span.parentId === undefined || !known.has(span.parentId)).toSorted(byStart);
  const childrenOf = (span: CollectedSpan) => spans.filter((one) => one.parentId === span.spanId).toSorted(byStart);
  const below = (span: CollectedSpan): readonly CollectedSpan[] => childrenOf(span).flatMap((child) => [child, ...below(child)]);
  const leads = (among: readonly CollectedSpan[], [first, ...rest]: readonly SpanPattern[]): boolean =>
    first === undefined || among.some((span) => fits(span, first) && leads(below(span), rest));
  const draw = (span: CollectedSpan, depth: number): string[] => [
    `${'  '.repeat(depth)}${span.service}: ${span.name} (${span.kind}${span.failed ? ', failed' : ''}, ${span.durationMs.toFixed(1)} ms)`,
    ...childrenOf(span).flatMap((child) => draw(child, depth + 1)),
  ];
  return {
    spans,
    roots,
    childrenOf,
    hasSpan: (pattern) => spans.some((span) => fits(span, pattern)),
    find: (pattern) => spans.find((span) => fits(span, pattern)),
    hasPath: (...patterns) => leads(spans, patterns),
    drawn: () => roots.flatMap((root) => draw(root, 0)).join('\n'),
  };
}
