import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startNats } from '@yunshi/local/nats';
import type { Nats } from '@yunshi/local/nats';
import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { afterAll, inject } from 'vitest';

export type TestNats = {
  readonly url: string;
  /** The process, to kill and start again; absent when the run was given a server by URL. */
  readonly server: Nats | undefined;
};

/**
 * A nats-server with JetStream and an empty store for a test file: `const nats = await testNats()` at its top. It starts in some tens of
 * milliseconds, so every file has its own; it is stopped after the file. A server given by TEST_NATS_URL is emptied instead.
 */
export async function testNats(options: { syncInterval?: string } = {}): Promise<TestNats> {
  const { natsUrl } = inject('servers');
  if (natsUrl) {
    await removeStreams(natsUrl);
    return { url: natsUrl, server: undefined };
  }
  const server = await ownNats(options);
  return { url: server.url, server };
}

/** A nats-server process that a test may kill and restart as it likes. It is stopped, and its store removed, after the file. */
export async function ownNats(options: { syncInterval?: string } = {}): Promise<Nats> {
  const { natsServer: binary, folder } = inject('servers');
  if (!binary) throw new Error('this test kills nats-server, so it needs one of its own, and none was found beside that of TEST_NATS_URL');
  const dir = await mkdtemp(join(folder, 'nats-'));
  const server = await startNats({ binary, dir, ...options });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  });
  return server;
}

async function removeStreams(url: string): Promise<void> {
  const connection = await connect({ servers: url });
  try {
    const manager = await jetstreamManager(connection);
    for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name);
  } finally {
    await connection.close();
  }
}
