import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Secrets } from './secrets.ts';

/** What a service's environment is built from. */
export type Place = {
  /** The folder that keeps this place's data. */
  dir: string;
  urls: Readonly<Record<string, string>>;
  natsUrl: string;
  databaseUrl: string | undefined;
  seed: 'demo' | 'none';
  testClock: boolean;
  secrets: Secrets;
  /** The payment service's key folder, and what a merchant gets out of it. */
  wechat: { keysFolder: string; merchant: Readonly<Record<string, string>> };
  /** The same of 商企付, and what a platform gets out of it. */
  bank: { keysFolder: string; platform: Readonly<Record<string, string>> };
  /** The same of UnionPay, and what a merchant gets out of it. */
  unionpay: { keysFolder: string; merchant: Readonly<Record<string, string>> };
};

export type Service = {
  name: string;
  /** The port to try first. */
  port: number;
  /** The program, from the root of the repository. */
  program: string;
  /** Its role and schema, when it has a database. */
  schema?: string;
  /** What it needs beside that which every service gets. */
  env?: (place: Place) => Record<string, string>;
};

/** Every process of the system, in the order in which the table shows them. */
export const services: readonly Service[] = [
  { name: 'gateway', port: 8080, program: 'services/gateway/src/main.ts', env: edge },
  { name: 'catalog', port: 8101, program: 'services/catalog/src/main.ts', schema: 'svc_catalog' },
  { name: 'order', port: 8102, program: 'services/order/src/main.ts', schema: 'svc_order' },
  { name: 'payment-gateway', port: 8103, program: 'services/payment-gateway/src/main.ts', schema: 'svc_payment', env: merchant },
  { name: 'coupon', port: 8104, program: 'services/coupon/src/main.ts', schema: 'svc_coupon' },
  { name: 'fulfillment', port: 8105, program: 'services/fulfillment/src/main.ts', schema: 'svc_fulfillment', env: delivery },
  { name: 'api-gateway', port: 8107, program: 'services/api-gateway/src/main.ts', schema: 'svc_api_gateway', env: dataPlane },
  { name: 'sandbox', port: 8106, program: 'services/sandbox/src/main.ts', schema: 'svc_sandbox', env: outsideWorld },
];

export const AUDIENCE = 'yunshi';

/** The environment that every service gets, and what is its own. */
export function environment(service: Service, place: Place): Record<string, string> {
  const { urls, natsUrl, databaseUrl, seed, testClock } = place;
  const own = new URL(urls[service.name] ?? '');
  return {
    PORT: own.port,
    HOST: '127.0.0.1',
    NATS_URL: natsUrl,
    ...(databaseUrl && { DATABASE_URL: databaseUrl }),
    AUTH_ISSUER: urls['gateway'] ?? '',
    AUTH_JWKS_URL: `${urls['gateway']}/.well-known/jwks.json`,
    AUTH_AUDIENCE: AUDIENCE,
    SEED: seed,
    TEST_CLOCK: testClock ? 'on' : 'off',
    NODE_ENV: 'development',
    OTEL_SERVICE_NAME: service.name,
    // Two starts of the same place are two instances to whoever watches them.
    OTEL_RESOURCE_ATTRIBUTES: `service.namespace=yunshi,service.instance.id=${randomBytes(4).toString('hex')}`,
    ...service.env?.(place),
  };
}

/** The development issuer, and `ORDER_URL`, `PAYMENT_GATEWAY_URL` and so on: where the gateway finds the services' own routes. */
function edge({ dir, urls }: Place): Record<string, string> {
  return {
    DEV_ISSUER: 'on',
    DEV_ISSUER_KEY_FILE: join(dir, 'dev-issuer.json'),
    ...Object.fromEntries(Object.entries(urls).map(([name, url]) => [`${name.toUpperCase().replaceAll('-', '_')}_URL`, url])),
  };
}

/** The payment service that this merchant talks to is the sandbox; the real one is only other values of the same names. */
function merchant({ urls, wechat, bank, unionpay, secrets }: Place): Record<string, string> {
  return {
    ...wechat.merchant,
    ENCRYPTION_KEY: secrets.paymentEncryptionKey,
    WECHAT_BASE_URL: urls['sandbox'] ?? '',
    WECHAT_NOTIFY_BASE_URL: urls['payment-gateway'] ?? '',
    WECHAT_PAY_PAGE_URL: `${urls['sandbox']}/pay`,
    WALLET_PAYOUT_URL: `${urls['sandbox']}/sandbox/treasury`,
    WALLET_PAYOUT_TOKEN: secrets.treasury,
    ...bank.platform,
    MSE_PAY_BASE_URL: urls['sandbox'] ?? '',
    MSE_PAY_NOTIFY_BASE_URL: urls['payment-gateway'] ?? '',
    MSE_PAY_RETURN_URL: `${urls['gateway']}/docs`,
    ...unionpay.merchant,
    UNIONPAY_BASE_URL: urls['sandbox'] ?? '',
    UNIONPAY_FILE_URL: `${urls['sandbox']}/unionpay/filedownload`,
    UNIONPAY_NOTIFY_BASE_URL: urls['payment-gateway'] ?? '',
    UNIONPAY_PAGE_BASE_URL: urls['gateway'] ?? '',
    UNIONPAY_RETURN_URL: `${urls['gateway']}/docs`,
  };
}

/** Providers that have given no endpoint of their own are played by the sandbox. */
function delivery({ urls, secrets }: Place): Record<string, string> {
  return {
    ENCRYPTION_KEY: secrets.encryptionKey,
    PROVIDER_SANDBOX_URL: urls['sandbox'] ?? '',
    SANDBOX_PROVIDER_SECRET: secrets.playedProviders,
    CALLS_URL: urls['api-gateway'] ?? '',
    CLOUD_URL: urls['sandbox'] ?? '',
    CLOUD_SECRET_ID: PLAYED_CLOUD_ID,
    CLOUD_SECRET_KEY: secrets.cloud,
  };
}

/** Upstreams that no provider has set are played by the sandbox. The journal outlives the process, not the place. */
function dataPlane({ dir, urls, secrets }: Place): Record<string, string> {
  return {
    ENCRYPTION_KEY: secrets.encryptionKey,
    JOURNAL_DIR: join(dir, 'calls'),
    UPSTREAM_SANDBOX_URL: urls['sandbox'] ?? '',
  };
}

/** Who we are to the played cloud; the real one is only other values of the same names. */
const PLAYED_CLOUD_ID = 'AKIDsandbox';

function outsideWorld({ secrets, wechat, bank, unionpay }: Place): Record<string, string> {
  return {
    WECHAT_SANDBOX_KEYS: wechat.keysFolder,
    BANK_SANDBOX_KEYS: bank.keysFolder,
    UNIONPAY_SANDBOX_KEYS: unionpay.keysFolder,
    SANDBOX_PROVIDER_SECRET: secrets.playedProviders,
    SANDBOX_TREASURY_TOKEN: secrets.treasury,
    SANDBOX_CLOUD_SECRET_ID: PLAYED_CLOUD_ID,
    SANDBOX_CLOUD_SECRET_KEY: secrets.cloud,
  };
}
