import { believing, listening } from '@yunshi/service/environment';
import { z } from 'zod';
import { upstreamNames, type UpstreamName } from './routing/table.ts';

/** `3000/60`: so many requests in so many seconds. */
const Rate = z
  .string()
  .regex(/^[1-9]\d{0,6}\/[1-9]\d{0,4}$/, 'a rate is written as 3000/60: requests/seconds')
  .transform((text) => {
    const [requests, seconds] = text.split('/').map(Number) as [number, number];
    return { requests, seconds };
  });
export type Rate = z.infer<typeof Rate>;

/** `PAYMENT_GATEWAY_URL` for the service `payment-gateway`. */
const variableOf = (name: UpstreamName): string => `${name.toUpperCase().replaceAll('-', '_')}_URL`;

const upstreams = Object.fromEntries(upstreamNames.map((name) => [variableOf(name), z.url().describe(`Where the ${name} service is`)]));

/** The variables that this service reads. */
export const Environment = z
  .object({
    ...listening,
    ...believing,
    ...upstreams,
    SANDBOX_URL: z.url().optional().describe("Where the payer's page is, for the landing page; only where the outside world is played"),
    TRUST_PROXY: z
      .string()
      .optional()
      .describe('Addresses of proxies of ours in front, whose X-Forwarded-For is believed; comma-separated'),
    RATE_LIMIT_ACCOUNT: Rate.prefault('6000/60').describe('How much an account may ask: requests/seconds'),
    RATE_LIMIT_ADDRESS: Rate.prefault('600/60').describe('How much an address without a token may ask: requests/seconds'),
    RATE_LIMIT_SIGN_IN: Rate.prefault('120/60').describe(
      'How often an address may ask for tokens, or send ones that are refused: requests/seconds',
    ),
    DEV_ISSUER: z.enum(['on', 'off']).default('off').describe('Gives tokens of the seeded people to anybody. Never in production'),
    DEV_ISSUER_KEY_FILE: z
      .string()
      .min(1)
      .optional()
      .describe('Where the development issuer keeps its signing key, so that tokens outlive a restart'),
    TEST_CLOCK: z.enum(['on', 'off']).default('off'),
    NATS_URL: z.string().min(1).optional().describe('Needed for the test clock only: the gateway takes no part in the messages'),
  })
  .refine((env) => env.NODE_ENV !== 'production' || env.DEV_ISSUER === 'off', {
    message: 'the development issuer gives a token to anybody: it is never on in production',
    path: ['DEV_ISSUER'],
  })
  .refine((env) => env.DEV_ISSUER === 'off' || env.DEV_ISSUER_KEY_FILE !== undefined, {
    message: 'the development issuer needs a file for its key',
    path: ['DEV_ISSUER_KEY_FILE'],
  })
  .refine((env) => env.NODE_ENV !== 'production' || env.TEST_CLOCK === 'off', {
    message: 'the test clock is never on in production',
    path: ['TEST_CLOCK'],
  })
  .refine((env) => env.TEST_CLOCK === 'off' || env.NATS_URL !== undefined, {
    message: 'the test clock is moved over NATS',
    path: ['NATS_URL'],
  });

export type Config = ReturnType<typeof readConfig>;

export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const read = Environment.parse(env);
  const given = read as unknown as Readonly<Record<string, string>>;
  return {
    port: read.PORT,
    host: read.HOST,
    logLevel: read.LOG_LEVEL,
    auth: { issuer: read.AUTH_ISSUER, jwks: read.AUTH_JWKS_URL, audience: read.AUTH_AUDIENCE },
    upstreams: Object.fromEntries(upstreamNames.map((name) => [name, given[variableOf(name)]])) as Readonly<Record<UpstreamName, string>>,
    sandboxUrl: read.SANDBOX_URL,
    trustProxy: read.TRUST_PROXY?.split(','),
    limits: { account: read.RATE_LIMIT_ACCOUNT, address: read.RATE_LIMIT_ADDRESS, signIn: read.RATE_LIMIT_SIGN_IN },
    devIssuerKeyFile: read.DEV_ISSUER === 'on' ? read.DEV_ISSUER_KEY_FILE : undefined,
    testClockNats: read.TEST_CLOCK === 'on' ? read.NATS_URL : undefined,
  };
}
