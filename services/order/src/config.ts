import { z } from 'zod';

/** The variables that this service reads. */
export const Environment = z
  .object({
    PORT: z.coerce.number().int().min(0).max(65_535).default(0),
    HOST: z.string().default('127.0.0.1'),
    DATABASE_URL: z.string().min(1),
    NATS_URL: z.string().min(1),
    AUTH_ISSUER: z.string().min(1),
    AUTH_JWKS_URL: z.url(),
    AUTH_AUDIENCE: z.string().min(1),
    TEST_CLOCK: z.enum(['on', 'off']).default('off'),
    NODE_ENV: z.enum(['development', 'production', 'test']).default('development'),
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  })
  .refine((env) => env.NODE_ENV !== 'production' || env.TEST_CLOCK === 'off', {
    message: 'the test clock is never on in production',
    path: ['TEST_CLOCK'],
  });

export type Config = ReturnType<typeof readConfig>;

export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const read = Environment.parse(env);
  return {
    port: read.PORT,
    host: read.HOST,
    databaseUrl: read.DATABASE_URL,
    natsUrl: read.NATS_URL,
    auth: { issuer: read.AUTH_ISSUER, jwks: read.AUTH_JWKS_URL, audience: read.AUTH_AUDIENCE },
    testClock: read.TEST_CLOCK === 'on',
    logLevel: read.LOG_LEVEL,
  };
}
