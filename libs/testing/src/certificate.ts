import { generateKeyPairSync, sign } from 'node:crypto';

/** A self-signed certificate for one host name, valid for a day around now, so that tests can speak real TLS. */
export function selfSigned(host: string): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const ecdsaWithSha256 = sequence(oid('06082a8648ce3d040302'));
  const name = sequence(tlv(0x31, sequence(oid('0603550403'), tlv(0x0c, Buffer.from(host)))));
  const alternativeName = sequence(oid('0603551d11'), tlv(0x04, sequence(tlv(0x82, Buffer.from(host)))));
  const dayMs = 86_400_000;
  const body = sequence(
    tlv(0xa0, integer(2)),
    integer(Math.floor(Math.random() * 0x7fff_ffff)),
    ecdsaWithSha256,
    name,
    sequence(utcTime(Date.now() - dayMs), utcTime(Date.now() + dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(alternativeName)),
  );
  const certificate = sequence(body, ecdsaWithSha256, tlv(0x03, Buffer.from([0]), sign('sha256', body, privateKey)));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  };
}

function tlv(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...contents: Buffer[]): Buffer => tlv(0x30, ...contents);
const oid = (encoded: string): Buffer => Buffer.from(encoded, 'hex');

function integer(value: number): Buffer {
  const bytes = Buffer.from(value.toString(16).padStart(8, '0'), 'hex');
  const start = Math.max(
    0,
    bytes.findIndex((byte) => byte !== 0),
  );
  const kept = bytes.subarray(start);
  return tlv(0x02, (kept[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), kept]) : kept);
}

const utcTime = (atMs: number): Buffer =>
  tlv(0x17, Buffer.from(new Date(atMs).toISOString().replace(/^..(..)-(..)-(..)T(..):(..):(..).*/, '$1$2$3$4$5$6Z')));
