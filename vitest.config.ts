import { defineConfig } from 'vitest/config';

const ignored = ['**/node_modules/**', '**/fixtures/**', 'services/console/**', '.local/**'];

/**
 * Four projects. `integration` and `journeys` get one PostgreSQL and one nats-server for the whole run (see libs/testing/src/servers.ts);
 * `unit` and `simulation` must never need them, so they do not get them. `simulation` has the cores to itself, because it uses them all.
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
          exclude: [...ignored, '**/*.int.spec.ts', '**/*.journey.spec.ts', '**/*.sim.spec.ts'],
        },
      },
      {
        test: {
          name: 'simulation',
          sequence: { groupOrder: 2 },
          include: ['libs/simulation/**/*.sim.spec.ts'],
          exclude: ignored,
          fileParallelism: false,
          testTimeout: 900_000,
        },
      },
      {
        test: {
          name: 'integration',
          sequence: { groupOrder: 3 },
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
          sequence: { groupOrder: 4 },
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
