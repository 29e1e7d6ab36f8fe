import { z } from 'zod';

/** The variables that this service reads. */
export const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  DATABASE_URL: z.url(),
  NATS_URL: z.string().min(1),
  TEST_CLOCK: z.enum(['on', 'off']).default('off'),
  NODE_ENV: z
    .string()
    .refine((name) => name !== 'production', 'the sandbox never runs in production')
    .default('development')
    .describe('The sandbox plays with keys and money; where real money moves it has no place'),
  LOG_LEVEL: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  WECHAT_SANDBOX_KEYS: z.string().min(1).describe('The folder of keys, made at the first start'),
  BANK_SANDBOX_KEYS: z.string().min(1).describe('The folder of the keys of 商企付, made at the first start'),
  UNIONPAY_SANDBOX_KEYS: z.string().min(1).describe('The folder of the keys and certificates of UnionPay, made at the first start'),
  BANK_PAGE_URL: z
    .url()
    .optional()
    .describe('Where a buyer’s browser finds the pages of UnionPay and the banks, if not where the API is called'),
  WECHAT_REFUND_TAKES_MS: z.coerce.number().int().min(0).default(2_000).describe('How long a refund takes, by the business clock'),
  WECHAT_SHARING_ALL: z
    .string()
    .default('1900000103,1900000105')
    .transform((text) => text.split(',').filter(Boolean))
    .describe(
      'Sub merchants for which WeChat Pay allows to share out more than 30 %: those that sell images, with servers of the marketplace',
    ),
  SANDBOX_TREASURY_TOKEN: z
    .string()
    .min(16)
    .optional()
    .describe('What the played treasury knows the marketplace by; without it there is none'),
  SANDBOX_CLOUD_SECRET_ID: z.string().min(1).default('AKIDsandbox').describe('Who may call the played cloud'),
  SANDBOX_CLOUD_SECRET_KEY: z.string().min(16).optional().describe('What those calls are signed with; without it there is no cloud'),
  SANDBOX_PROVIDER_SECRET: z.string().min(16).describe("What the played providers' tokens are made from"),
});

export type Config = z.infer<typeof Environment>;

export const readConfig = (env: NodeJS.ProcessEnv): Config => Environment.parse(env);
