/** Whose certificate a message carries: it must have been issued by UnionPay's own chain, to UnionPay, and be good now. */
import { X509Certificate, type KeyObject } from 'node:crypto';
import { no, ok, type Result } from '@yunshi/kernel/result';

/** Several while one takes over from another. */
export type Trust = {
  readonly roots: readonly X509Certificate[];
  readonly middles: readonly X509Certificate[];
  /** Whom the certificate must belong to. */
  readonly signer: string;
};

/** The name in UnionPay's own certificates, and in those of its test system. */
export const UNIONPAY = '中国银联股份有限公司';

export type CertificateRefusal = 'malformed-certificate' | 'expired-certificate' | 'unknown-issuer' | 'foreign-certificate';

/** A certificate has 2 KB or so. */
const PEM_CHARS_MAX = 8_192;

/** @returns the key that it certifies */
export function ownerOf(pem: string, { roots, middles, signer }: Trust, wallMs: number): Result<KeyObject, CertificateRefusal> {
  const leaf = read(pem);
  if (leaf?.publicKey.asymmetricKeyType !== 'rsa') return no('malformed-certificate');
  const middle = middles.find((one) => issued(one, leaf));
  const root = middle && roots.find((one) => issued(one, middle));
  if (!middle || !root) return no('unknown-issuer');
  if (![leaf, middle, root].every((one) => isGood(one, wallMs))) return no('expired-certificate');
  return nameOf(leaf) === signer ? ok(leaf.publicKey) : no('foreign-certificate');
}

function read(pem: string): X509Certificate | undefined {
  // More than one, or anything beside it, is nothing that UnionPay sends.
  if (pem.length > PEM_CHARS_MAX || !/^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/.test(pem))
    return undefined;
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

const issued = (issuer: X509Certificate, subject: X509Certificate): boolean =>
  issuer.ca && subject.checkIssued(issuer) && subject.verify(issuer.publicKey);

const isGood = ({ validFromDate, validToDate }: X509Certificate, wallMs: number): boolean =>
  validFromDate.getTime() <= wallMs && wallMs <= validToDate.getTime();

/** A common name is four words with «@» between them: the third says whose it is. */
function nameOf(certificate: X509Certificate): string | undefined {
  const name: unknown = certificate.toLegacyObject().subject.CN;
  return typeof name === 'string' ? name.split('@')[2] : undefined;
}

/** The serial number as messages write it. */
export const certIdOf = (certificate: X509Certificate): string => BigInt(`0x${certificate.serialNumber}`).toString();

/** All certificates of a PEM file. Throws when there is none. */
export function certificatesOf(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) throw new Error('there is no certificate');
  return found.map((one) => new X509Certificate(one));
}
