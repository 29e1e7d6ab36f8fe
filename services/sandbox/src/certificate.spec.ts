import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { issued, selfSigned } from './certificate.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const spec = {
  serial: 'F157F09EFDC096DE15EBE81A47057A7232F1B8E1',
  commonName: '商户 1900000001',
  organisation: 'Yunshi sandbox',
  from: new Date('2026-01-01T00:00:00Z'),
  until: new Date('2031-01-01T00:00:00Z'),
};

test('a certificate says what was asked for, and its signature holds', () => {
  const certificate = new X509Certificate(selfSigned(spec, privateKey));
  expect(certificate.serialNumber).toBe(spec.serial);
  expect(certificate.subject).toContain('商户 1900000001');
  expect(certificate.validFromDate).toEqual(spec.from);
  expect(certificate.validToDate).toEqual(spec.until);
  expect(certificate.checkPrivateKey(privateKey)).toBe(true);
  expect(certificate.verify(publicKey)).toBe(true);
});

test('one that issues others answers for them, and one that signs messages cannot', () => {
  const authority = { ...spec, commonName: 'Yunshi sandbox root' };
  const root = new X509Certificate(selfSigned(authority, privateKey, 'issues certificates'));
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const leaf = new X509Certificate(issued(spec, other, { ...authority, privateKey }));
  expect([root.ca, leaf.ca]).toEqual([true, false]);
  expect(leaf.checkIssued(root) && leaf.verify(publicKey)).toBe(true);
  expect(leaf.checkPrivateKey(other)).toBe(true);
  expect(root.checkIssued(leaf)).toBe(false);
});
