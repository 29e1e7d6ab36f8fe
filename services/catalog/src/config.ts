import { z } from 'zod';

/** The variables that this service reads. */
export const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  DATABASE_URL: z.url(),
  NATS_URL: z.url(),
  TEST_CLOCK: z.enum(['on', 'off']).default('off'),
  SEED: z.enum(['demo', 'none']).default('none').describe('`demo` fills an empty database with the demo world'),
  LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
});

export type Config = z.infer<typeof Environment>;

export const readConfig = (env: NodeJS.ProcessEnv): Config => Environment.parse(env);
