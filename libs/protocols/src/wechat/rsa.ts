import { createPrivateKey, createPublicKey, sign as rsaSign, verify as rsaVerify, type KeyObject } from 'node:crypto';
import { decodeBase64 } from './base64.ts';

/** Who signs with what: serials are hex certificate serials or `PUB_KEY_ID_…`; both kinds live side by side. */
export type KeyOfSerial = (serial: string) => KeyObject | undefined;

/** SHA256-with-RSA (PKCS#1 v1.5), base64. */
export function sign(message: Uint8Array, privateKey: KeyObject): string {
  return rsaSign('sha256', message, privateKey).toString('base64');
}

export function signatureHolds(message: Uint8Array, signature: string, publicKey: KeyObject): boolean {
  const bytes = decodeBase64(signature);
  return bytes !== undefined && rsaVerify('sha256', message, publicKey, bytes);
}

/** @param pem PKCS#8 or PKCS#1. Throws when it is not an RSA private key. */
export function privateKeyOf(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'rsa') throw new Error(`WeChat Pay signs with RSA, this private key is ${key.asymmetricKeyType}`);
  return key;
}

/** @param pem a public key or an X.509 certificate. Throws when it holds no RSA key. */
export function publicKeyOf(pem: string): KeyObject {
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'rsa') throw new Error(`WeChat Pay signs with RSA, this public key is ${key.asymmetricKeyType}`);
  return key;
}
