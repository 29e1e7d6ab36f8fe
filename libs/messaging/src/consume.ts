import {
  AckPolicy,
  DeliverPolicy,
  jetstream,
  type ConsumerConfig,
  type ConsumerMessages,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { ensureStreams, type StreamName } from './bus.ts';

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

/** Makes the durable, and makes it anew where it remembers more than the stream still holds: it would skip messages in silence. */
async function ensureConsumer(jsm: JetStreamManager, consuming: Consuming): Promise<void> {
  const info = await jsm.consumers.add(consuming.stream, configOf(consuming));
  const { state } = await jsm.streams.info(consuming.stream);
  if (info.delivered.stream_seq <= state.last_seq) return;
  await jsm.consumers.delete(consuming.stream, consuming.durable);
  await jsm.consumers.add(consuming.stream, configOf(consuming));
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
  let retry: { readonly timer: NodeJS.Timeout; readonly resolve: () => void } | undefined;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      retry = { timer: setTimeout(resolve, ms), resolve };
    });

  async function pull(): Promise<void> {
    await ensureStreams(jsm);
    await ensureConsumer(jsm, consuming);
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
  const running = run();
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
