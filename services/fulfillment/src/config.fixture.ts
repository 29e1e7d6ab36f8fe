import { randomBytes } from 'node:crypto';
import { readConfig, type Config } from './config.ts';

type Around = {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly issuer: { readonly issuer: string; readonly audience: string };
  /** A test's own endpoint of a provider: the only private address that the egress guard lets through in development. */
  readonly sandboxUrl: string;
  readonly encryptionKey?: Buffer;
};

/** The service as its integration tests start it: on servers of the test, with keys of its own and the test clock. */
export const testConfig = ({ databaseUrl, natsUrl, issuer, sandboxUrl, encryptionKey = randomBytes(32) }: Around): Config =>
  readConfig({
    DATABASE_URL: databaseUrl,
    NATS_URL: natsUrl,
    AUTH_ISSUER: issuer.issuer,
    AUTH_JWKS_URL: 'http://127.0.0.1/jwks',
    AUTH_AUDIENCE: issuer.audience,
    TEST_CLOCK: 'on',
    NODE_ENV: 'test',
    LOG_LEVEL: 'silent',
    ENCRYPTION_KEY: encryptionKey.toString('base64'),
    PROVIDER_SANDBOX_URL: sandboxUrl,
    SANDBOX_PROVIDER_SECRET: randomBytes(16).toString('hex'),
  });
