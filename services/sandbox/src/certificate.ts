/**
 * X.509 certificates, self-signed or issued by one another, written as DER by hand. Node reads certificates and cannot make them; the libraries that
 * can bring a dozen packages for these ninety lines.
 */
import { createHash, createPublicKey, sign, X509Certificate, type KeyObject } from 'node:crypto';

const SHA256_WITH_RSA = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const COMMON_NAME = [0x55, 0x04, 0x03];
const ORGANISATION = [0x55, 0x04, 0x0a];
const KEY_USAGE = [0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
const SUBJECT_KEY = [0x55, 0x1d, 0x0e];
const AUTHORITY_KEY = [0x55, 0x1d, 0x23];

const node = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
};
function lengthOf(bytes: number): number[] {
  if (bytes < 0x80) return [bytes];
  return bytes < 0x100 ? [0x81, bytes] : [0x82, bytes >> 8, bytes & 0xff];
}
const sequence = (...parts: readonly Uint8Array[]) => node(0x30, ...parts);
const oid = (bytes: readonly number[]) => node(0x06, Buffer.from(bytes));
const bits = (bytes: Uint8Array, unused = 0) => node(0x03, Buffer.of(unused), bytes);
const text = (value: string) => node(0x0c, Buffer.from(value, 'utf8'));
const attribute = (type: readonly number[], value: string) => node(0x31, sequence(oid(type), text(value)));
const algorithm = sequence(oid(SHA256_WITH_RSA), node(0x05));

/** UTCTime, good until 2049. */
const time = (at: Date) => node(0x17, Buffer.from(`${at.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));

/** A positive INTEGER: a first bit of 1 would make it negative. */
function integer(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  return (bytes[0] ?? 0) & 0x80 ? node(0x02, Buffer.of(0), bytes) : node(0x02, bytes);
}

export type CertificateSpec = {
  /** 40 hexadecimal digits, not beginning with 00: the name that the wire calls the key by. */
  readonly serial: string;
  readonly commonName: string;
  readonly organisation: string;
  readonly from: Date;
  readonly until: Date;
};

type Names = Pick<CertificateSpec, 'commonName' | 'organisation'>;
/** Who answers for a certificate, and signs it. */
export type Issuer = Names & { readonly privateKey: KeyObject };

const nameOf = ({ organisation, commonName }: Names) => sequence(attribute(ORGANISATION, organisation), attribute(COMMON_NAME, commonName));
const yes = node(0x01, Buffer.of(0xff));
const extension = (type: readonly number[], value: Uint8Array, critical = false) =>
  sequence(oid(type), ...(critical ? [yes] : []), node(0x04, value));

const uses = {
  /** Signs messages. */
  'signs messages': [extension(KEY_USAGE, bits(Buffer.of(0xa0), 5))],
  /** Signs certificates and lists of revoked ones. */
  'issues certificates': [extension(BASIC_CONSTRAINTS, sequence(yes), true), extension(KEY_USAGE, bits(Buffer.of(0x06), 1), true)],
} as const;

/** By which a certificate and its issuer's are found to belong together. */
const keyId = (publicKey: Uint8Array): Buffer => createHash('sha1').update(publicKey).digest();

/** @returns PEM of a certificate for a key's other half */
export function issued(spec: CertificateSpec, key: KeyObject, issuer: Issuer, use: keyof typeof uses = 'signs messages'): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const issuersKey = createPublicKey(issuer.privateKey).export({ type: 'spki', format: 'der' });
  const body = sequence(
    node(0xa0, node(0x02, Buffer.of(2))),
    integer(spec.serial),
    algorithm,
    nameOf(issuer),
    sequence(time(spec.from), time(spec.until)),
    nameOf(spec),
    publicKey,
    node(
      0xa3,
      sequence(
        ...uses[use],
        extension(SUBJECT_KEY, node(0x04, keyId(publicKey))),
        extension(AUTHORITY_KEY, sequence(node(0x80, keyId(issuersKey)))),
      ),
    ),
  );
  return new X509Certificate(sequence(body, algorithm, bits(sign('sha256', body, issuer.privateKey)))).toString();
}

/** @returns PEM */
export const selfSigned = (spec: CertificateSpec, privateKey: KeyObject, use: keyof typeof uses = 'signs messages'): string =>
  issued(spec, privateKey, { ...spec, privateKey }, use);
