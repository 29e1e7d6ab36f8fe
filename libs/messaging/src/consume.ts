import {
  AckPolicy,
  DeliverPolicy,
  jetstream,
  JetStreamApiCodes,
  JetStreamApiError,
  type ConsumerConfig,
  type ConsumerInfo,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { ensureStreams, type StreamName } from './bus.ts';
import { keepMinutes } from './relay.ts';

export type Consuming = { readonly stream: StreamName; readonly durable: string; readonly filters: readonly string[] };

/** A consumer at work. */
export type Consumption = { readonly stop: () => Promise<void>; readonly pulling: () => boolean };

/** Far above what handling takes, because a second delivery meanwhile is harmless but useless. */
const ackWaitMs = 15_000;
const pulledMax = 256;

const configOf = ({ durable, filters }: Consuming): Partial<ConsumerConfig> => ({
  durable_name: durable,
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.All,
  ack_wait: nanos(ackWaitMs),
  // Unlimited: a message past its attempts goes to the dead letters by our own count, and never stays in the stream unseen.
  max_deliver: -1,
  max_ack_pending: 4_096,
  filter_subjects: [...filters],
});

/** Which start of a server a durable was made under. */
const serverMark = 'server_id';
/** Longer than any plausible loss of a stream's unsynced end, and as long as relays keep what they have sent. */
const lookBackMs = keepMinutes * 60_000;

/**
 * Which start of which server this is. Several servers with replicas agree on what their streams hold, and then no start of one of them
 * means that anything may be missing.
 */
const startOf = (nc: NatsConnection): string | undefined => (nc.info?.cluster === undefined ? nc.info?.server_id : undefined);

const isMissing = (error: unknown): boolean => error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound;

/** A consumer that was made just now, and has yet delivered something, was made from the remains of one that the server had forgotten. */
const hasPast = ({ delivered, num_ack_pending }: ConsumerInfo): boolean => delivered.consumer_seq > 0 || num_ack_pending > 0;

/**
 * Makes the durable. After a power cut a server may have kept what a consumer had seen, and lost the end of the stream: new messages then
 * get numbers that the consumer believes to know, and it would skip them in silence, or be given again what by now is somebody else's. So a durable
 * that was made under another start of the server is made anew, from before anything that could have been lost; the inboxes absorb the rest.
 * It may also have lost what the consumer is and kept what it had seen: a durable that is made then inherits that, and is made anew as well.
 */
async function ensureConsumer(jsm: JetStreamManager, consuming: Consuming, start: string | undefined): Promise<void> {
  const { stream, durable } = consuming;
  const config = { ...configOf(consuming), ...(start !== undefined && { metadata: { [serverMark]: start } }) };
  const known = await jsm.consumers.info(stream, durable).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  const made = known ? undefined : await jsm.consumers.add(stream, config);
  if (made && !hasPast(made)) return;
  if (known && (await isTrusted(jsm, known, start))) {
    const { deliver_policy: _, ...changeable } = config;
    return void (await jsm.consumers.update(stream, durable, changeable));
  }
  const from = await startingPoint(jsm, stream, (known ?? made)!);
  await jsm.consumers.delete(stream, durable);
  await jsm.consumers.add(stream, { ...config, ...from });
}

async function isTrusted(jsm: JetStreamManager, known: ConsumerInfo, start: string | undefined): Promise<boolean> {
  const { state } = await jsm.streams.info(known.stream_name);
  const isAhead = known.delivered.stream_seq > state.last_seq;
  return !isAhead && (start === undefined || known.config.metadata?.[serverMark] === start);
}

/** From the oldest message that it had not settled, or from further back. By the server's clock, which has stamped the messages. */
async function startingPoint(jsm: JetStreamManager, stream: StreamName, { ts, ack_floor }: ConsumerInfo): Promise<Partial<ConsumerConfig>> {
  // Commands and replies that are settled are gone from their streams: all that is left is wanted.
  if (stream !== 'EVT') return {};
  const unsettled = await jsm.streams.getMessage(stream, { seq: ack_floor.stream_seq + 1 }).catch(() => null);
  const lookBack = new Date((ts === undefined ? Date.now() : Date.parse(ts)) - lookBackMs);
  const from = unsettled && unsettled.time < lookBack ? unsettled.time : lookBack;
  return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.toISOString() };
}

/**
 * Pulls messages for as long as the process lives. Streams and durables that have disappeared (a wiped store) are made anew.
 * `onMessage` must settle each message itself.
 */
export function consume(
  { nc, jsm }: { readonly nc: NatsConnection; readonly jsm: JetStreamManager },
  consuming: Consuming,
  onMessage: (message: JsMsg) => void,
  onFault: (what: string, error: unknown) => void,
): Consumption {
  let stopped = false;
  let messages: ConsumerMessages | undefined;
  let madeFor: string | undefined;
  let retry: { readonly timer: NodeJS.Timeout; readonly resolve: () => void } | undefined;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      retry = { timer: setTimeout(resolve, ms), resolve };
    });

  async function pull(): Promise<void> {
    await ensureStreams(jsm);
    const start = startOf(nc);
    await ensureConsumer(jsm, consuming, start);
    madeFor = start;
    const consumer = await jetstream(nc).consumers.get(consuming.stream, consuming.durable);
    const pulled = await consumer.consume({
      max_messages: pulledMax,
      expires: 10_000,
      idle_heartbeat: 2_000,
      abort_on_missing_resource: true,
    });
    // Not closed and waited for: closing ends when the loop below has read to the end, and nobody reads these.
    if (stopped) return pulled.stop();
    messages = pulled;
    if (startOf(nc) !== madeFor) return pulled.stop();
    for await (const message of messages) onMessage(message);
  }

  async function run(): Promise<void> {
    while (!stopped) {
      try {
        await pull();
      } catch (error) {
        if (!stopped) onFault(`consumer ${consuming.durable}`, error);
      }
      messages = undefined;
      if (!stopped) await pause(300 + Math.random() * 300);
    }
  }
  /** A server that was started again may have lost something: the durable is looked at again before anything more is pulled. */
  async function followServer(): Promise<void> {
    for await (const { type } of nc.status()) {
      if (stopped) return;
      if (type === 'reconnect' && startOf(nc) !== madeFor) messages?.stop();
    }
  }
  const running = run();
  void followServer();
  return {
    pulling: () => messages !== undefined,
    stop: async () => {
      stopped = true;
      await messages?.close().catch(() => undefined);
      if (retry) {
        clearTimeout(retry.timer);
        retry.resolve();
      }
      await running;
    },
  };
}
