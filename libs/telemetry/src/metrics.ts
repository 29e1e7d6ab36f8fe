import { metrics, type Attributes, type Histogram, type ObservableResult } from '@opentelemetry/api';

/**
 * Every number the system tells about itself, one function for each. Without an exporter they do nothing.
 * Times are seconds, as OpenTelemetry has them, except where a name says otherwise. Values of attributes come from small closed sets.
 */

// Asked for at each first use: a meter taken before the SDK has started stays silent for ever.
const meter = () => metrics.getMeter('@yunshi/telemetry');

function histogram(name: string, unit: string, description: string, bounds: readonly number[]): () => Histogram {
  let made: Histogram | undefined;
  return () => (made ??= meter().createHistogram(name, { unit, description, advice: { explicitBucketBoundaries: [...bounds] } }));
}

function counter(name: string, unit: string, description: string) {
  let made: ReturnType<ReturnType<typeof meter>['createCounter']> | undefined;
  return () => (made ??= meter().createCounter(name, { unit, description }));
}

/**
 * A counter that adds up by itself, by one text, and tells its sums when they are collected: the SDK would look each addition's attributes
 * up by their JSON, which for messages costs more than all else about counting.
 */
function tally(name: string, unit: string, description: string, attributesOf: (key: string) => Attributes) {
  const sums = new Map<string, number>();
  let told = false;
  return (key: string): void => {
    sums.set(key, (sums.get(key) ?? 0) + 1);
    if (told) return;
    told = true;
    const made = meter().createObservableCounter(name, { unit, description });
    made.addCallback((result) => {
      for (const [of, sum] of sums) result.observe(sum, attributesOf(of));
    });
  };
}

/** The buckets that the semantic conventions advise for HTTP and messaging. */
const quickS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** A saga waits for people: from a tenth of a second to a day. */
const slowS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400];

const served = histogram('http.server.request.duration', 's', 'Duration of requests served', quickS);
const called = histogram('http.client.request.duration', 's', 'Duration of calls to others', quickS);

export function httpServed(of: { method: string; route: string | undefined; status: number; seconds: number }): void {
  const { method, route, status, seconds } = of;
  served().record(seconds, {
    'http.request.method': method,
    'http.response.status_code': status,
    ...(route !== undefined && { 'http.route': route }),
    ...(status >= 500 && { 'error.type': String(status) }),
  });
}

export function httpCalled(of: {
  method: string;
  host: string;
  status: number | undefined;
  error: string | undefined;
  seconds: number;
}): void {
  const { method, host, status, error, seconds } = of;
  called().record(seconds, {
    'http.request.method': method,
    'server.address': host,
    ...(status !== undefined && { 'http.response.status_code': status }),
    ...(error !== undefined ? { 'error.type': error } : status !== undefined && status >= 400 && { 'error.type': String(status) }),
  });
}

const ofSubject = (subject: string): Attributes => ({ 'messaging.system.name': 'nats', 'messaging.destination.name': subject });
const ofPublished = (subject: string): Attributes => ({ ...ofSubject(subject), 'messaging.operation.name': 'publish' });
/** `subject` or `subject outcome`. */
const ofProcessed = (key: string): Attributes => {
  const [subject = '', outcome] = key.split(' ');
  return { ...ofSubject(subject), 'messaging.operation.name': 'process', ...(outcome !== undefined && { 'error.type': outcome }) };
};

const sent = tally('messaging.client.sent.messages', '{message}', 'Messages handed to a stream', ofPublished);
const consumed = tally('messaging.client.consumed.messages', '{message}', 'Messages delivered to this process', ofProcessed);
const processed = histogram('messaging.process.duration', 's', 'From delivery to commit of one message', quickS);
const batches = histogram('yunshi.batch.size', '{message}', 'Pieces of work that shared one transaction', [1, 2, 4, 8, 16, 32, 64]);

export const messageSent = (subject: string): void => sent(subject);

/** `outcome`: committed, tried again later, or buried. */
export function messageProcessed(of: { subject: string; outcome: 'committed' | 'again' | 'buried'; seconds: number }): void {
  const { subject, outcome, seconds } = of;
  const key = outcome === 'committed' ? subject : `${subject} ${outcome}`;
  consumed(key);
  processed().record(seconds, ofProcessed(key));
}

export const batchCommitted = (size: number): void => batches().record(size);

const sagas = histogram('yunshi.saga.duration', 's', 'From the start of a saga to its end, by outcome', slowS);

export const sagaEnded = (of: { saga: string; outcome: string; seconds: number }): void =>
  sagas().record(of.seconds, { 'yunshi.saga.name': of.saga, 'yunshi.saga.outcome': of.outcome });

const callbackLag = histogram(
  'yunshi.payment.callback.lag',
  's',
  'From the time a channel says money moved to its verified callback',
  slowS,
);

export const paymentCallback = (of: { channel: string; kind: string; lagSeconds: number }): void =>
  callbackLag().record(Math.max(0, of.lagSeconds), { 'yunshi.channel': of.channel, 'yunshi.callback': of.kind });

const differences = counter('yunshi.reconciliation.differences', '{difference}', 'Differences found by reconciliation');

export const reconciliationDiffered = (of: { kind: string; count: number }): void =>
  differences().add(of.count, { 'yunshi.reconciliation': of.kind });

const gauge = (name: string, unit: string, description: string) => meter().createObservableGauge(name, { unit, description });

/** What the sum of all postings is off from 0, read at each collection. Answers a function that ends it. */
export function observeLedger(read: () => Promise<number>): () => void {
  const imbalance = gauge('yunshi.ledger.imbalance', '{fen}', 'By how much the sum of all postings is off from 0');
  const observe = async (result: { observe: (value: number) => void }): Promise<void> =>
    read().then(
      (fen) => result.observe(fen),
      () => undefined,
    );
  imbalance.addCallback(observe);
  return () => imbalance.removeCallback(observe);
}

/** Reads at each collection how many differences wait to be settled, by class. Answers a function that ends it. */
export function observeOpenDifferences(read: () => Promise<Readonly<Record<string, number>>>): () => void {
  const open = gauge('yunshi.reconciliation.open', '{difference}', 'Differences between a channel and our books that nobody has settled');
  const observe = async (result: ObservableResult): Promise<void> => {
    const counts = await read().catch(() => ({}));
    for (const [kind, count] of Object.entries(counts)) result.observe(count, { 'yunshi.reconciliation': kind });
  };
  open.addCallback(observe);
  return () => open.removeCallback(observe);
}

/** Reads at each collection how many providers' endpoints fail their probe. Answers a function that ends it. */
export function observeFailingEndpoints(read: () => Promise<number>): () => void {
  const failing = gauge('yunshi.endpoints.failing', '{endpoint}', 'Published endpoints of providers that failed their last probe');
  const observe = async (result: { observe: (value: number) => void }): Promise<void> =>
    read().then(
      (count) => result.observe(count),
      () => undefined,
    );
  failing.addCallback(observe);
  return () => failing.removeCallback(observe);
}

export type ConsumerState = {
  readonly stream: string;
  readonly durable: string;
  readonly pending: number;
  readonly unacknowledged: number;
  readonly redelivered: number;
};

/** What a service has stored that must not grow old. */
export type Backlog = {
  readonly outboxOldestSeconds: number;
  readonly outboxRows: number;
  readonly sagasRunning: number;
  readonly sagasPastDeadline: number;
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly callsOldestSeconds: number;
};

/**
 * Reads what is waiting at each collection, and only then: nothing is read where nothing is exported.
 * Answers a function that ends it. A reading that fails is left out, since the collection must not fail with it.
 */
export function observeWaiting(read: { consumers: () => Promise<readonly ConsumerState[]>; backlog: () => Promise<Backlog> }): () => void {
  const consumer = {
    pending: gauge('yunshi.consumer.pending', '{message}', 'Messages in the stream that a consumer has not been given yet'),
    unacknowledged: gauge('yunshi.consumer.unacknowledged', '{message}', 'Messages given to a consumer and not settled yet'),
    redelivered: gauge('yunshi.consumer.redelivered', '{message}', 'Messages given more than once and not settled yet'),
  };
  const backlog = {
    outboxOldestSeconds: gauge('yunshi.outbox.oldest.age', 's', 'Age of the oldest message that no stream has acknowledged'),
    outboxRows: gauge('yunshi.outbox.rows', '{message}', 'Messages that no stream has acknowledged'),
    sagasRunning: gauge('yunshi.sagas.running', '{saga}', 'Sagas that have not ended'),
    sagasPastDeadline: gauge('yunshi.sagas.past_deadline', '{saga}', 'Sagas whose awaited step is past its deadline'),
    callsOldestSeconds: gauge('yunshi.calls.oldest.age', 's', 'Age of the oldest intent of a call whose outcome is not known'),
  };
  const deadLetters = gauge('yunshi.dead_letters', '{letter}', 'Dead letters that wait for an operator');

  const observeConsumers = async (result: BatchResult): Promise<void> => {
    for (const { stream, durable, ...counts } of await read.consumers()) {
      const of = { 'messaging.destination.name': stream, 'messaging.consumer.group.name': durable };
      for (const name of ['pending', 'unacknowledged', 'redelivered'] as const) result.observe(consumer[name], counts[name], of);
    }
  };
  const observeBacklog = async (result: BatchResult): Promise<void> => {
    const now = await read.backlog();
    for (const name of Object.keys(backlog) as (keyof typeof backlog)[]) result.observe(backlog[name], now[name]);
    for (const [source, count] of Object.entries(now.deadLetters)) result.observe(deadLetters, count, { 'yunshi.source': source });
  };
  const observe = async (result: BatchResult): Promise<void> => {
    await Promise.allSettled([observeConsumers(result), observeBacklog(result)]);
  };
  const observed = [...Object.values(consumer), ...Object.values(backlog), deadLetters];
  const taken = meter();
  taken.addBatchObservableCallback(observe, observed);
  return () => taken.removeBatchObservableCallback(observe, observed);
}

type BatchResult = {
  observe: (gauge: ReturnType<ReturnType<typeof meter>['createObservableGauge']>, value: number, attributes?: Attributes) => void;
};
