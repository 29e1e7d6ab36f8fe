import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certIdOf, certificatesOf, ownerOf, type Trust } from '@yunshi/protocols/unionpay/certificate';
import type { Fields } from '@yunshi/protocols/unionpay/message';
import { signAnswer, signRequest, verifyAnswer, verifyRequest } from '@yunshi/protocols/unionpay/signature';
import fc from 'fast-check';
import { opensslSays, opensslSerial, opensslTrusts } from './openssl.fixture.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issued, selfSigned, type Issuer } from '../certificate.ts';
import { ensureUnionpayKeys, middleOf, newKey, newSerial, signerName, TEST_SIGNER, type UnionpayFolder } from './keys.ts';

/** A stranger checks what both sides sign. */
const wall = new Date('2026-03-01T04:00:00Z');
let root: string;
let folder: string;
let keys: UnionpayFolder;
let trust: Trust;
let middle: Issuer;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'unionpay-'));
  folder = join(root, 'keys');
  keys = await ensureUnionpayKeys(folder, wall);
  const read = async (name: string) => certificatesOf(await readFile(join(folder, name), 'utf8'));
  trust = { roots: await read('root_cert.pem'), middles: await read('middle_cert.pem'), signer: TEST_SIGNER };
  middle = await middleOf(folder);
});
afterAll(() => rm(root, { recursive: true }));

const fields: Fields = {
  version: '5.1.0',
  txnType: '01',
  merId: '777290058110101',
  orderId: 'C0123456789',
  reqReserved: '',
  txnAmt: '19900',
};

const says = (text: string, { signature }: Fields, certificate: string) =>
  opensslSays(root, { text, signature: signature!, certificate: join(folder, certificate) });

describe('openssl', () => {
  test('verifies what a merchant signs: empty fields left out, names in ASCII order', async () => {
    const certificate = new X509Certificate(await readFile(join(folder, 'merchant_cert.pem')));
    const key = { certId: certIdOf(certificate), privateKey: await privateKey('merchant') };
    const signed = signRequest(fields, key);
    expect(signed['certId']).toBe(BigInt(`0x${await opensslSerial(join(folder, 'merchant_cert.pem'))}`).toString());
    const text = `certId=${signed['certId']}&merId=777290058110101&orderId=C0123456789&signMethod=01&txnAmt=19900&txnType=01&version=5.1.0`;
    expect(await says(text, signed, 'merchant_cert.pem')).toBe('Verified OK');
    expect(await says(text.replace('19900', '19901'), signed, 'merchant_cert.pem')).toMatch(/failure/i);
    expect(verifyRequest(signed, () => certificate.publicKey).ok).toBe(true);
  });
  test('verifies what UnionPay signs, and the chain from its certificate to the root', async () => {
    const signed = signAnswer({ respCode: '00', respMsg: '成功[0000000]', a: '{x=1&y=2}' }, keys.signing());
    const text = `a={x=1&y=2}&respCode=00&respMsg=成功[0000000]&signMethod=01&signPubKeyCert=${keys.signing().certificate}`;
    expect(await says(text, signed, 'unionpay_cert.pem')).toBe('Verified OK');
    expect(verifyAnswer(signed, trust, wall.getTime())).toEqual({ ok: true, value: undefined });
    expect(await chain('unionpay_cert.pem')).toBe(true);
    expect(await chain('merchant_cert.pem')).toBe(true);
  });
  test('and we agree about what is no chain', async () => {
    const stranger = await strangersCertificate();
    await writeFile(join(folder, 'stranger_cert.pem'), stranger);
    expect(await chain('stranger_cert.pem')).toBe(false);
    expect(ownerOf(stranger, trust, wall.getTime())).toEqual({ ok: false, error: 'unknown-issuer' });
  });
});

const chain = (name: string): Promise<boolean> => {
  const at = (file: string) => join(folder, file);
  return opensslTrusts({ root: at('root_cert.pem'), middle: at('middle_cert.pem'), leaf: at(name) }, wall);
};
const privateKey = async (name: string) => createPrivateKey(await readFile(join(folder, `${name}_key.pem`)));

const spec = (change: object = {}) => ({
  commonName: signerName(),
  organisation: 'Yunshi sandbox',
  serial: newSerial(),
  from: wall,
  until: new Date(wall.getTime() + 86_400_000),
  ...change,
});
/** Of the same names, and of other keys. */
const strangersCertificate = async (): Promise<string> => issued(spec(), await newKey(), { ...middle, privateKey: await newKey() });

describe('a certificate', () => {
  const says = (pem: string, at = wall.getTime(), by = trust) => {
    const owner = ownerOf(pem, by, at);
    return owner.ok ? 'good' : owner.error;
  };
  test('is UnionPay’s when its own chain issued it, to UnionPay, and it is good now', async () => {
    const [key, dayMs] = [await newKey(), 86_400_000];
    const pem = issued(spec(), key, middle);
    expect(says(pem)).toBe('good');
    expect(says(pem, wall.getTime() + dayMs)).toBe('good');
    expect(says(pem, wall.getTime() + dayMs + 1_000)).toBe('expired-certificate');
    expect(says(pem, wall.getTime() - 1_000)).toBe('expired-certificate');
    expect(says(issued(spec({ commonName: signerName('somebody else') }), key, middle))).toBe('foreign-certificate');
    expect(says(issued(spec({ commonName: TEST_SIGNER }), key, middle))).toBe('foreign-certificate');
    expect(says(pem, wall.getTime(), { ...trust, signer: '中国银联股份有限公司' })).toBe('foreign-certificate');
  });
  test('issued by one that may not issue, by itself, or by an unknown root is not', async () => {
    const key = await newKey();
    const leaf: Issuer = { ...spec(), privateKey: keys.signing().privateKey };
    expect(says(issued(spec(), key, leaf))).toBe('unknown-issuer');
    expect(says(selfSigned(spec(), key))).toBe('unknown-issuer');
    const [other] = certificatesOf(selfSigned(spec({ commonName: 'Yunshi sandbox root' }), key, 'issues certificates'));
    expect(says(keys.signing().certificate, wall.getTime(), { ...trust, roots: [other!] })).toBe('unknown-issuer');
    expect(says(keys.signing().certificate, wall.getTime(), { ...trust, roots: [other!, ...trust.roots] })).toBe('good');
  });
  test('is refused with anything beside it, cut off, or in another shape', () => {
    const pem = keys.signing().certificate;
    for (const bad of ['', 'x', pem.slice(0, -30), `${pem}${pem}`, `x${pem}`, pem.replaceAll('A', '!'), `${pem}${' '.repeat(9_000)}`])
      expect(says(bad)).toBe('malformed-certificate');
  });
});

describe('an answer', () => {
  const signed = () => signAnswer({ respCode: '00', merId: '777290058110101', txnAmt: '19900' }, keys.signing());
  test('is refused with any field changed, added or left out', () => {
    const good = signed();
    expect(verifyAnswer(good, trust, wall.getTime()).ok).toBe(true);
    const names = Object.keys(good).filter((name) => name !== 'signPubKeyCert');
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.stringMatching(/^[0-9A-Za-z]{1,8}$/), (name, value) => {
        const { [name]: before, ...rest } = good;
        fc.pre(before !== value);
        for (const bad of [{ ...good, [name]: value }, rest, { ...good, [`x${name}`]: value }])
          expect(verifyAnswer(bad, trust, wall.getTime()).ok).toBe(false);
      }),
    );
  });
  test('is refused under the certificate of a stranger, who signs as well as anybody', async () => {
    const key = await newKey();
    const pem = issued(spec(), key, { ...middle, privateKey: await newKey() });
    const forged = signAnswer({ respCode: '00' }, { certificate: pem, privateKey: key });
    expect(verifyAnswer(forged, trust, wall.getTime())).toEqual({ ok: false, error: 'unknown-issuer' });
    const { signPubKeyCert: _, ...bare } = signed();
    expect(verifyAnswer(bare, trust, wall.getTime())).toEqual({ ok: false, error: 'unsigned' });
  });
});

test('a request is refused of an unknown certificate, unsigned, and changed', async () => {
  const key = { certId: '7', privateKey: keys.signing().privateKey };
  const publicKey = new X509Certificate(keys.signing().certificate).publicKey;
  const keyOf = (certId: string) => (certId === '7' ? publicKey : undefined);
  const good = signRequest(fields, key);
  expect(verifyRequest(good, keyOf).ok).toBe(true);
  expect(verifyRequest(good, () => undefined)).toEqual({ ok: false, error: 'foreign-certificate' });
  expect(verifyRequest({ ...good, txnAmt: '1' }, keyOf)).toEqual({ ok: false, error: 'wrong-signature' });
  expect(verifyRequest({ ...good, signMethod: '11' }, keyOf)).toEqual({ ok: false, error: 'unsigned' });
  expect(verifyRequest(fields, keyOf)).toEqual({ ok: false, error: 'unsigned' });
});
