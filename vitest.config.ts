import { defineConfig } from 'vitest/config';

const ignored = ['**/node_modules/**', '**/fixtures/**', 'services/console/**', '.local/**'];

/**
 * Three projects, from the quickest to the slowest. `integration` and `journeys` get one PostgreSQL and one nats-server for
 * the whole run (see libs/testing/src/servers.ts); `unit` must never need them, so it does not get them.
 */
export default defineConfig({
  test: {
    reporters: ['default'],
    // Work of others on the same machine must not fail a test: the limits are there to end a hang, not to measure speed.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    projects: [
      {
        test: {
          name: 'unit',
          sequence: { groupOrder: 1 },
          include: ['**/*.spec.ts'],
          exclude: [...ignored, '**/*.int.spec.ts', '**/*.journey.spec.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          sequence: { groupOrder: 2 },
          include: ['**/*.int.spec.ts'],
          exclude: ignored,
          globalSetup: ['libs/testing/src/servers.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // A server given by URL is shared by all files, and each begins by emptying it.
          maxWorkers: process.env['TEST_NATS_URL'] ? 1 : 2,
        },
      },
      {
        test: {
          name: 'journeys',
          sequence: { groupOrder: 3 },
          include: ['libs/journeys/**/*.journey.spec.ts'],
          exclude: ignored,
          globalSetup: ['libs/testing/src/servers.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
