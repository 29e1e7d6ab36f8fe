import { z } from 'zod';

/** The variables that every process reads. */
export const listening = {
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  HOST: z.string().default('127.0.0.1'),
  NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
  LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
} as const;

/** Whose tokens are believed. */
export const believing = { AUTH_ISSUER: z.string().min(1), AUTH_JWKS_URL: z.url(), AUTH_AUDIENCE: z.string().min(1) } as const;

/** For a service whose empty database can be filled with the demo world. */
export const seeded = {
  SEED: z.enum(['demo', 'none']).default('none').describe('`demo` fills an empty database with the demo world'),
} as const;

const ofEveryService = {
  ...listening,
  ...believing,
  DATABASE_URL: z.string().min(1),
  NATS_URL: z.string().min(1),
  TEST_CLOCK: z.enum(['on', 'off']).default('off'),
} as const;

const noTestClockInProduction = (env: unknown): boolean => {
  const { NODE_ENV, TEST_CLOCK } = env as z.infer<z.ZodObject<typeof ofEveryService>>;
  return NODE_ENV !== 'production' || TEST_CLOCK === 'off';
};

/** The environment of a service with a database, on the bus: what all have in ofEveryService, and what is its own. */
export const serviceEnvironment = <S extends z.ZodRawShape>(own: S) =>
  z
    .object({ ...ofEveryService, ...own })
    .refine(noTestClockInProduction, { message: 'the test clock is never on in production', path: ['TEST_CLOCK'] });

/** The part that all services have in ofEveryService, as the code names it. */
export const configOf = (read: z.infer<z.ZodObject<typeof ofEveryService>>) => ({
  port: read.PORT,
  host: read.HOST,
  databaseUrl: read.DATABASE_URL,
  natsUrl: read.NATS_URL,
  auth: { issuer: read.AUTH_ISSUER, jwks: read.AUTH_JWKS_URL, audience: read.AUTH_AUDIENCE },
  testClock: read.TEST_CLOCK === 'on',
  logLevel: read.LOG_LEVEL,
  development: read.NODE_ENV !== 'production',
});
