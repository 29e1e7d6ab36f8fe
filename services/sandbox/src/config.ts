import { z } from 'zod';

const Config = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  DATABASE_URL: z.url(),
  NATS_URL: z.url(),
  TEST_CLOCK: z.enum(['on', 'off']).default('off'),
  /** The sandbox plays with keys and money; where real money moves it has no place. */
  NODE_ENV: z
    .string()
    .refine((name) => name !== 'production', 'the sandbox never runs in production')
    .default('development'),
  LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  /** The key folder, made at the first start. See wechat/keys.ts. */
  WECHAT_SANDBOX_KEYS: z.string().min(1),
  /** How long a refund takes, by the business clock. */
  WECHAT_REFUND_TAKES_MS: z.coerce.number().int().min(0).default(2_000),
  /** What the tokens of the played providers are made from. */
  SANDBOX_PROVIDER_SECRET: z.string().min(16),
});

export type Config = z.infer<typeof Config>;

export const readConfig = (env: NodeJS.ProcessEnv): Config => Config.parse(env);
