/** Encrypted fields: SM4-128-CBC under a key of the request's own, which travels under the other side's RSA key. */
import { no, ok, type Result } from '@yunshi/kernel/result';
import { constants, createCipheriv, createDecipheriv, privateDecrypt, publicEncrypt, type KeyObject } from 'node:crypto';
import { decodeBase64 } from '../wechat/base64.ts';
import { parseParameters } from './signature.ts';

const ALGORITHM = 'RSA_OAEP_with_SM4_128_CBC';
const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' } as const;
const BLOCK_BYTES = 16;

/** 16 bytes each, never used for another request. */
export type FieldKey = { readonly key: Uint8Array; readonly iv: Uint8Array };

/** @returns base64 of the SM4-128-CBC ciphertext, PKCS#7 padded */
export function sealField(plaintext: string, { key, iv }: FieldKey): string {
  const cipher = createCipheriv('sm4-cbc', key, iv);
  return Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]).toString('base64');
}

export function openField(ciphertext: string, { key, iv }: FieldKey): Result<string, 'cannot-open'> {
  const bytes = decodeBase64(ciphertext);
  if (!bytes || bytes.length === 0 || bytes.length % BLOCK_BYTES !== 0) return no('cannot-open');
  try {
    const decipher = createDecipheriv('sm4-cbc', key, iv);
    return ok(Buffer.concat([decipher.update(bytes), decipher.final()]).toString('utf8'));
  } catch {
    return no('cannot-open');
  }
}

/** The TBEP-Encrypt header. `serial` names the key that opens it. */
export const encryptHeader = ({ key, iv }: FieldKey, to: { readonly serial: string; readonly publicKey: KeyObject }): string =>
  [
    `enc_key="${publicEncrypt({ key: to.publicKey, ...OAEP }, key).toString('base64')}"`,
    `iv="${Buffer.from(iv).toString('base64')}"`,
    `tbep_serial_number="${to.serial}"`,
    `algorithm="${ALGORITHM}"`,
  ].join(',');

export type EncryptRefusal = 'malformed' | 'unknown-serial' | 'cannot-open';

/** Reads the key of a request's encrypted fields. */
export function fieldKeyOf(
  header: string | undefined,
  privateKeyOf: (serial: string) => KeyObject | undefined,
): Result<FieldKey, EncryptRefusal> {
  const found = header === undefined ? undefined : parseParameters(header);
  const [sealed, iv] = [decodeBase64(found?.['enc_key'] ?? ''), decodeBase64(found?.['iv'] ?? '')];
  const serial = found?.['tbep_serial_number'];
  if (found?.['algorithm'] !== ALGORITHM || serial === undefined || !sealed?.length || iv?.length !== BLOCK_BYTES) return no('malformed');
  const privateKey = privateKeyOf(serial);
  if (!privateKey) return no('unknown-serial');
  try {
    const key = privateDecrypt({ key: privateKey, ...OAEP }, sealed);
    return key.length === BLOCK_BYTES ? ok({ key, iv }) : no('cannot-open');
  } catch {
    return no('cannot-open');
  }
}
