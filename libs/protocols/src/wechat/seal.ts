import { no, ok, type Result } from '@yunshi/kernel/result';
import { constants, createCipheriv, createDecipheriv, privateDecrypt, publicEncrypt, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { decodeBase64 } from './base64.ts';

const ALGORITHM = 'AEAD_AES_256_GCM';
const TAG_BYTES = 16;
const NONCE_BYTES = 12;

/** An encrypted part of a body: callbacks and platform certificates. */
export const Sealed = z.object({
  algorithm: z.literal(ALGORITHM),
  nonce: z.string(),
  associated_data: z.string().default(''),
  ciphertext: z.string(),
});
export type Sealed = z.infer<typeof Sealed>;

/** @param key the APIv3 key of the merchant console: 32 characters, used as they are. Throws for any other length. */
export function apiV3Key(key: string): Buffer {
  const bytes = Buffer.from(key, 'utf8');
  if (bytes.length !== 32) throw new Error('the APIv3 key must be 32 bytes');
  return bytes;
}

/** @param nonce 12 ASCII characters, never twice with the same key */
export function seal(plaintext: string, key: Buffer, nonce: string, associatedData: string): Sealed {
  const cipher = createCipheriv('aes-256-gcm', key, Buffer.from(nonce), { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(associatedData));
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
  return { algorithm: ALGORITHM, nonce, associated_data: associatedData, ciphertext };
}

/** Opens what was sealed with this key, and nothing else. */
export function open(sealed: Sealed, key: Buffer): Result<string, 'cannot-open'> {
  const bytes = decodeBase64(sealed.ciphertext);
  const nonce = Buffer.from(sealed.nonce);
  if (!bytes || bytes.length < TAG_BYTES || nonce.length !== NONCE_BYTES) return no('cannot-open');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(sealed.associated_data));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const start = decipher.update(bytes.subarray(0, -TAG_BYTES));
  try {
    // Only final() compares the tag. Without it, anyone's bytes decrypt to something.
    return ok(Buffer.concat([start, decipher.final()]).toString('utf8'));
  } catch {
    return no('cannot-open');
  }
}

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' } as const;

/** Encrypts one sensitive field (a name, a bank account) for WeChat Pay; the Wechatpay-Serial header names the key. */
export function sealField(plaintext: string, publicKey: KeyObject): string {
  return publicEncrypt({ key: publicKey, ...OAEP }, Buffer.from(plaintext, 'utf8')).toString('base64');
}

export function openField(ciphertext: string, privateKey: KeyObject): Result<string, 'cannot-open'> {
  const bytes = decodeBase64(ciphertext);
  if (!bytes) return no('cannot-open');
  try {
    return ok(privateDecrypt({ key: privateKey, ...OAEP }, bytes).toString('utf8'));
  } catch {
    return no('cannot-open');
  }
}
