import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Made once, for this machine alone. */
export type Secrets = {
  /** Of PostgreSQL's superuser. */
  postgres: string;
  /** Of each service's role, by the role's name. */
  roles: Record<string, string>;
  /** 32 bytes in base64 each, for what fulfillment and payment-gateway keep encrypted. */
  encryptionKey: string;
  paymentEncryptionKey: string;
  /** What the tokens of the played providers are made from. */
  playedProviders: string;
  /** What the treasury that pays account balances out knows the marketplace by. */
  treasury: string;
  /** What calls of the played cloud are signed with. */
  cloud: string;
};

/** Reads the secrets of this place, and makes those that are missing. Only the owner may read the file. */
export function secretsIn(file: string, roles: readonly string[]): Secrets {
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Secrets>) : {};
  const secrets: Secrets = {
    postgres: kept.postgres ?? password(),
    roles: { ...kept.roles, ...Object.fromEntries(roles.map((role) => [role, kept.roles?.[role] ?? password()])) },
    encryptionKey: kept.encryptionKey ?? randomBytes(32).toString('base64'),
    paymentEncryptionKey: kept.paymentEncryptionKey ?? randomBytes(32).toString('base64'),
    playedProviders: kept.playedProviders ?? password(),
    treasury: kept.treasury ?? password(),
    cloud: kept.cloud ?? password(),
  };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}

function password(): string {
  return randomBytes(24).toString('base64url');
}
