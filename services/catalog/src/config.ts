import { z } from 'zod';

const Config = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  DATABASE_URL: z.url(),
  NATS_URL: z.url(),
  TEST_CLOCK: z.enum(['on', 'off']).default('off'),
  /** `demo` fills an empty database with the demo world. */
  SEED: z.enum(['demo', 'none']).default('none'),
  LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
});

export type Config = z.infer<typeof Config>;

export const readConfig = (env: NodeJS.ProcessEnv): Config => Config.parse(env);
