import { existsSync } from 'node:fs';
import postgres from 'postgres';
import { until } from './until.ts';

const IMAGE = 'postgres:18';

type Container = { url: string; stop(): Promise<void> };

/**
 * A PostgreSQL in a container, where a Docker engine answers and has the image; nothing is pulled, so that a run is not at the mercy of a
 * registry. nats-server never comes from a container: tests kill it and start it again on the same store, which needs a process.
 */
export async function postgresContainer(): Promise<Container | undefined> {
  if (!existsSync('/var/run/docker.sock') && !process.env['DOCKER_HOST']) return undefined;
  // The reaper is one more image to have; the run stops its container itself.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const { GenericContainer, ImageName, Wait, getContainerRuntimeClient } = await import('testcontainers');
  const engine = await getContainerRuntimeClient().catch(() => undefined);
  if (!(await engine?.image.exists(ImageName.fromString(IMAGE)))) return undefined;
  const started = await new GenericContainer(IMAGE)
    .withEnvironment({ POSTGRES_PASSWORD: 'test' })
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=200'])
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const url = `postgres://postgres:test@${started.getHost()}:${started.getMappedPort(5432)}/postgres`;
  await until(() => answers(url), { within: 60_000, what: `PostgreSQL in the container ${started.getName()} answers` });
  return { url, stop: async () => void (await started.stop()) };
}

async function answers(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 2 });
  try {
    await sql`SELECT 1`;
    return true;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
