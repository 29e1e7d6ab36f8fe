import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

/**
 * Encrypts what must not be readable in a dump of the database: each value under a key of its own, and that under one of the service's keys
 * (envelope encryption, AES-256-GCM). `boundTo` names the row and column: a value that is moved to another row does not open there.
 */
export type Vault = {
  seal(plain: string, boundTo: string): string;
  open(sealed: string, boundTo: string): string;
  /** The same value under the newest key; the value itself is not opened. Undefined if it is under that key already. */
  rewrap(sealed: string, boundTo: string): string | undefined;
};

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The first key seals; all of them open, so that a key can be replaced while old rows still stand. Each is 32 bytes. */
export function vault(keys: readonly Buffer[]): Vault {
  const [first] = keys;
  if (first === undefined) throw new Error('vault: there is no key');
  const byId = new Map(keys.map((key) => [keyId(key), key]));
  const newest = keyId(first);
  const keyOf = (id: string): Buffer => {
    const key = byId.get(id);
    if (key === undefined) throw new Error(`vault: sealed with key ${id}, which is not configured`);
    return key;
  };
  return {
    seal(plain, boundTo) {
      const own = randomBytes(KEY_BYTES);
      return write(newest, encrypted(own, first, boundTo), encrypted(Buffer.from(plain, 'utf8'), own, boundTo));
    },
    open(sealed, boundTo) {
      const { id, own, text } = read(sealed);
      const key = own === undefined ? keyOf(id) : decrypted(own, keyOf(id), boundTo);
      return decrypted(text, key, boundTo).toString('utf8');
    },
    rewrap(sealed, boundTo) {
      const { id, own, text } = read(sealed);
      if (own === undefined) return this.seal(this.open(sealed, boundTo), boundTo);
      return id === newest ? undefined : write(newest, encrypted(decrypted(own, keyOf(id), boundTo), first, boundTo), text);
    },
  };
}

/** `own` is absent in the first version, whose values were under the service's key itself. */
type Parts = { readonly id: string; readonly own: Buffer | undefined; readonly text: Buffer };

const write = (id: string, own: Buffer, text: Buffer): string => `v2.${id}.${own.toString('base64url')}.${text.toString('base64url')}`;

function read(sealed: string): Parts {
  const [version, id, ...parts] = sealed.split('.').map((part, index) => (index < 2 ? part : Buffer.from(part, 'base64url'))) as [
    string,
    string,
    ...Buffer[],
  ];
  const [own, text] = version === 'v2' ? parts : [undefined, version === 'v1' ? parts[0] : undefined];
  if (text === undefined) throw new Error('vault: not a sealed value');
  return { id, own, text };
}

function encrypted(plain: Buffer, key: Buffer, boundTo: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(boundTo, 'utf8'));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypted(bytes: Buffer, key: Buffer, boundTo: string): Buffer {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('vault: not a sealed value');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES)).setAAD(Buffer.from(boundTo, 'utf8'));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

/** Names a key without telling it. */
const keyId = (key: Buffer): string => createHash('sha256').update('yunshi key id').update(key).digest('hex').slice(0, 8);

const Key = z.string().transform((text, context) => {
  const key = Buffer.from(text, 'base64');
  if (key.length !== KEY_BYTES) context.addIssue({ code: 'custom', message: 'a key is 32 bytes in base64' });
  return key;
});

/** How a service's environment names its keys. */
export const EncryptionKeys = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(Key).min(1));
