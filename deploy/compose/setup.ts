import { chmodSync, chownSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBankKeys, platformEnvironment } from '@yunshi/sandbox/bank/keys';
import { ensureUnionpayKeys, unionpayEnvironment } from '@yunshi/sandbox/unionpay/keys';
import { ensureKeys, merchantEnvironment } from '@yunshi/sandbox/wechat/keys';
import { databaseUrl, provision } from '../local/provision.ts';
import { secretsIn } from '../local/secrets.ts';
import type { Secrets } from '../local/secrets.ts';

/**
 * Prepares what the containers need before they start, once, in two steps: `secrets` makes passwords and keys, and puts into each service's
 * own volume what that service may know and nothing else; `roles` makes the database, its roles and schemas.
 */
const SECRETS = '/secrets';
/** Where a service finds its volume. */
const INSIDE = '/run/yunshi';
/** Who the marketplace is to the played cloud. */
const PLAYED_CLOUD_ID = 'AKIDsandbox';
/** The user `node` of the image. */
const NODE_USER = 1000;
const DATABASE = 'yunshi';
const server = (password: string) => `postgres://postgres:${password}@postgres:5432/postgres`;

const schemas: Readonly<Record<string, string>> = {
  catalog: 'svc_catalog',
  order: 'svc_order',
  'payment-gateway': 'svc_payment',
  coupon: 'svc_coupon',
  fulfillment: 'svc_fulfillment',
  'api-gateway': 'svc_api_gateway',
  sandbox: 'svc_sandbox',
};

const secrets = secretsIn(join(SECRETS, 'setup', 'secrets.json'), Object.values(schemas));
if (process.argv[2] === 'secrets') await writeSecrets(secrets);
else if (process.argv[2] === 'roles') await provision(server(secrets.postgres), DATABASE, Object.values(schemas).map(roleOf));
else throw new Error('say which step: secrets or roles');

function roleOf(role: string) {
  return { role, password: secrets.roles[role] ?? '' };
}

async function writeSecrets({ postgres, encryptionKey, paymentEncryptionKey, playedProviders, treasury, cloud }: Secrets): Promise<void> {
  const keys = join(SECRETS, 'setup', 'wechat');
  await ensureKeys(keys, new Date());
  const merchant = Object.entries(await merchantEnvironment(keys)).map(([name, value]) => [
    name,
    value.replace(keys, join(INSIDE, 'wechat')),
  ]);
  const bank = join(SECRETS, 'setup', 'bank');
  await ensureBankKeys(bank);
  const platform = Object.entries(await platformEnvironment(bank)).map(([name, value]) => [
    name,
    value.replace(bank, join(INSIDE, 'bank')),
  ]);
  const unionpay = join(SECRETS, 'setup', 'unionpay');
  await ensureUnionpayKeys(unionpay, new Date());
  const unionpayMerchant = Object.entries(unionpayEnvironment(unionpay)).map(([name, value]) => [
    name,
    value.replace(unionpay, join(INSIDE, 'unionpay')),
  ]);
  give('sandbox', {
    SANDBOX_PROVIDER_SECRET: playedProviders,
    SANDBOX_TREASURY_TOKEN: treasury,
    SANDBOX_CLOUD_SECRET_ID: PLAYED_CLOUD_ID,
    SANDBOX_CLOUD_SECRET_KEY: cloud,
    WECHAT_SANDBOX_KEYS: join(INSIDE, 'wechat'),
    BANK_SANDBOX_KEYS: join(INSIDE, 'bank'),
    UNIONPAY_SANDBOX_KEYS: join(INSIDE, 'unionpay'),
  });
  cpSync(bank, join(SECRETS, 'sandbox', 'bank'), { recursive: true });
  cpSync(unionpay, join(SECRETS, 'sandbox', 'unionpay'), { recursive: true });
  cpSync(keys, join(SECRETS, 'sandbox', 'wechat'), { recursive: true });
  give('payment-gateway', {
    ...(Object.fromEntries([...merchant, ...platform, ...unionpayMerchant]) as Record<string, string>),
    WALLET_PAYOUT_TOKEN: treasury,
    ENCRYPTION_KEY: paymentEncryptionKey,
  });
  // A merchant has its own private key and the payment service's public one, and none of the payment service's private keys.
  for (const file of ['merchant_key.pem', 'pub_key.pem']) copy(join(keys, file), join(SECRETS, 'payment-gateway', 'wechat', file));
  for (const file of ['platform_key.pem', 'tbep_pub.pem']) copy(join(bank, file), join(SECRETS, 'payment-gateway', 'bank', file));
  for (const file of ['merchant_cert.pem', 'merchant_key.pem', 'root_cert.pem', 'middle_cert.pem'])
    copy(join(unionpay, file), join(SECRETS, 'payment-gateway', 'unionpay', file));
  give('fulfillment', {
    ENCRYPTION_KEY: encryptionKey,
    SANDBOX_PROVIDER_SECRET: playedProviders,
    CLOUD_SECRET_ID: PLAYED_CLOUD_ID,
    CLOUD_SECRET_KEY: cloud,
  });
  give('api-gateway', { ENCRYPTION_KEY: encryptionKey });
  for (const service of ['catalog', 'order', 'coupon']) give(service, {});
  for (const service of Object.keys(schemas)) own(join(SECRETS, service));
  // The server's image reads this as its own user, whose number differs from image to image; the volume is mounted nowhere else.
  writeFileSync(join(SECRETS, 'postgres', 'password'), postgres, { mode: 0o444 });
}

function give(service: string, own: Readonly<Record<string, string>>): void {
  const variables = { DATABASE_URL: databaseUrl(server(''), DATABASE, roleOf(schemas[service] ?? '')), ...own };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(join(SECRETS, service, 'service.env'), lines.join(''));
}

function copy(from: string, to: string): void {
  mkdirSync(join(to, '..'), { recursive: true });
  cpSync(from, to);
}

/** Everything in a service's volume is for that service's user alone. */
function own(folder: string): void {
  chownSync(folder, NODE_USER, NODE_USER);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    chownSync(path, NODE_USER, NODE_USER);
    chmodSync(path, entry.isDirectory() ? 0o500 : 0o400);
  }
}
