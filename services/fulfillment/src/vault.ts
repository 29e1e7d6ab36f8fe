import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * Encrypts what must not be readable in a dump of the database (AES-256-GCM). `boundTo` names the row and column: a ciphertext
 * that is moved to another row does not open there.
 */
export type Vault = {
  seal(plain: string, boundTo: string): string;
  open(sealed: string, boundTo: string): string;
};

/** The first key seals; all of them open, so that a key can be replaced while old rows still stand. Each is 32 bytes. */
export function vault(keys: readonly Buffer[]): Vault {
  const [first] = keys;
  if (first === undefined) throw new Error('vault: there is no key');
  const byId = new Map(keys.map((key) => [keyId(key), key]));
  return {
    seal(plain, boundTo) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', first, nonce).setAAD(Buffer.from(boundTo, 'utf8'));
      const text = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${keyId(first)}.${text.toString('base64url')}`;
    },
    open(sealed, boundTo) {
      const [version, id, text] = sealed.split('.');
      const key = byId.get(id ?? '');
      if (version !== 'v1' || text === undefined) throw new Error('vault: not a sealed value');
      if (key === undefined) throw new Error(`vault: sealed with key ${id}, which is not configured`);
      const bytes = Buffer.from(text, 'base64url');
      if (bytes.length < 28) throw new Error('vault: not a sealed value');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAAD(Buffer.from(boundTo, 'utf8'));
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
    },
  };
}

/** Names a key without telling it. */
const keyId = (key: Buffer): string => createHash('sha256').update('yunshi key id').update(key).digest('hex').slice(0, 8);

export const boundTo = {
  access: (instanceId: string) => `instances.access ${instanceId}`,
  token: (productId: string) => `endpoints.token ${productId}`,
  secretKey: (secretId: string) => `api_keys.secret_key ${secretId}`,
};
