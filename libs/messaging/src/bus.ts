import {
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type JetStreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import { connect, nanos, type NatsConnection } from '@nats-io/transport-node';

/** The oldest server whose JetStream keeps what it acknowledged across a restart with `sync_interval` set. */
const oldestServer = [2, 10, 27] as const;

export const streamNames = ['CMD', 'RPL', 'EVT'] as const;
export type StreamName = (typeof streamNames)[number];
export const streamOf = (subject: string): StreamName => (subject.startsWith('cmd.') ? 'CMD' : subject.startsWith('rpl.') ? 'RPL' : 'EVT');

const day = 86_400_000;
const GiB = 1024 ** 3;

const shared = {
  storage: StorageType.File,
  // Full means «refuse the new», so that the outbox keeps it; never «forget the old».
  discard: DiscardPolicy.New,
  max_msg_size: 256 * 1024,
  // Only an optimisation, and it costs memory per message: the inbox is what makes a message count once.
  duplicate_window: nanos(30_000),
  num_replicas: Number(process.env['NATS_REPLICAS'] ?? 1),
};

/** Commands and replies are taken away when they have been handled; events stay for a week, for services that were away. */
export const streams: readonly Partial<StreamConfig & { name: string }>[] = [
  { ...shared, name: 'CMD', subjects: ['cmd.>'], retention: RetentionPolicy.Workqueue, max_bytes: GiB },
  { ...shared, name: 'RPL', subjects: ['rpl.>'], retention: RetentionPolicy.Workqueue, max_bytes: GiB },
  { ...shared, name: 'EVT', subjects: ['evt.>'], retention: RetentionPolicy.Limits, max_bytes: 4 * GiB, max_age: nanos(7 * day) },
];

/** Connects for as long as the process lives: reconnects for ever, and notices a dead link within ten seconds. */
export async function connectBus(url: string, name: string): Promise<NatsConnection> {
  const nc = await connect({
    servers: url.split(','),
    name,
    timeout: 5_000,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 200,
    pingInterval: 5_000,
    maxPingOut: 2,
  });
  const version = nc.info?.version ?? '0';
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [needMajor, needMinor, needPatch] = oldestServer;
  const tooOld = major !== needMajor ? major < needMajor : minor !== needMinor ? minor < needMinor : patch < needPatch;
  if (tooOld) {
    await nc.close();
    throw new Error(`nats-server ${version} is too old: ${oldestServer.join('.')} or newer is needed`);
  }
  return nc;
}

/** Makes the streams as they are declared here, whichever service comes first. */
export async function ensureStreams(jsm: JetStreamManager): Promise<void> {
  for (const config of streams) {
    try {
      await jsm.streams.add(config as StreamConfig & { name: string });
    } catch {
      // It exists with other limits: bring it to ours. A difference that cannot be changed in place is an error worth stopping for.
      await jsm.streams.update(config.name!, config);
    }
  }
}

export const managerOf = (nc: NatsConnection): Promise<JetStreamManager> => jetstreamManager(nc, { timeout: 5_000 });
