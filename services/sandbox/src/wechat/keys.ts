/**
 * The key folder: what the payment service and one merchant know of each other. It is made once; the sandbox reads all of it,
 * the merchant's side gets only what a merchant has (its own private key, the APIv3 key, WeChat Pay's public key).
 *
 *     merchant.json                 numbers, appid, APIv3 key
 *     merchant_key.pem              the merchant's private key: the merchant signs requests with it
 *     merchant_cert.pem             its certificate: the payment service checks them with it
 *     pub_key.pem                   WeChat Pay's public key, which a merchant downloads by hand
 *     platform/<serial>.key.pem     what the payment service signs with: the public key's other half, and one per certificate
 *     platform/<serial>.cert.pem    platform certificates; GET /v3/certificates gives them out
 */
import type { AnswerKey } from '@yunshi/protocols/wechat/answer-signature';
import { createPublicKey, generateKeyPair, randomBytes, randomInt, X509Certificate, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { privateKeyOf } from '@yunshi/protocols/wechat/rsa';
import { z } from 'zod';
import { selfSigned } from '../certificate.ts';

const makePair = promisify(generateKeyPair);

const Merchant = z.object({
  mchid: z.string(),
  appid: z.string(),
  merchant_serial: z.string(),
  apiv3_key: z.string().length(32),
  public_key_id: z.string().startsWith('PUB_KEY_ID_'),
});
export type Merchant = z.infer<typeof Merchant>;

export type PlatformCertificate = AnswerKey & { readonly pem: string; readonly from: Date; readonly until: Date };

export type PlatformKeys = {
  readonly merchant: Merchant;
  readonly merchantPublicKey: KeyObject;
  readonly publicKeyPem: string;
  /** Public-key mode: what its serial names cannot expire. */
  readonly publicKey: AnswerKey;
  /** Certificate mode, the newest last. */
  readonly certificates: readonly PlatformCertificate[];
};

const TEN_YEARS_MS = 10 * 365 * 86_400_000;

/** Makes the folder unless it is there. Of several that try at once, one wins and all read the same keys. */
export async function ensureKeys(folder: string, wall: Date): Promise<PlatformKeys> {
  if (!existsSync(join(folder, 'merchant.json'))) {
    await mkdir(dirname(folder), { recursive: true });
    const draft = await mkdtemp(`${folder}.draft-`);
    await makeKeys(draft, wall);
    await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
      await rm(draft, { recursive: true });
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }
  return readKeys(folder);
}

async function makeKeys(folder: string, wall: Date): Promise<void> {
  const [ours, theirs] = await Promise.all([newKey(), newKey()]);
  const serial = newSerial();
  const mchid = `19${randomInt(10_000_000, 99_999_999)}`;
  const merchant: Merchant = {
    mchid,
    appid: `wx${randomBytes(8).toString('hex')}`,
    merchant_serial: serial,
    apiv3_key: randomBytes(16).toString('hex'),
    public_key_id: `PUB_KEY_ID_01${mchid}${wall.toISOString().slice(0, 10).replaceAll('-', '')}00`,
  };
  const certificate = selfSigned({ serial, commonName: mchid, organisation: '微信商户系统 (sandbox)', ...tenYears(wall) }, theirs);
  await mkdir(join(folder, 'platform'));
  await secret(join(folder, 'merchant_key.pem'), pem(theirs));
  await secret(join(folder, 'merchant_cert.pem'), certificate);
  await secret(join(folder, 'pub_key.pem'), createPublicKey(ours).export({ type: 'spki', format: 'pem' }).toString());
  await secret(join(folder, 'platform', `${merchant.public_key_id}.key.pem`), pem(ours));
  await addCertificate(folder, wall);
  await secret(join(folder, 'merchant.json'), `${JSON.stringify(merchant, null, 2)}\n`);
}

/** Adds a platform certificate, as WeChat Pay does before an old one ends. From now on the sandbox signs with the new one. */
export async function addCertificate(folder: string, wall: Date): Promise<void> {
  const before = await readCertificates(folder);
  // Certificates count whole seconds, and the newest is the one that begins last.
  const from = new Date(Math.max(wall.getTime(), ...before.map((one) => one.from.getTime() + 1_000)));
  const [key, serial] = [await newKey(), newSerial()];
  const certificate = selfSigned(
    { serial, commonName: 'Tenpay.com sign (sandbox)', organisation: 'Yunshi sandbox', ...tenYears(from) },
    key,
  );
  await secret(join(folder, 'platform', `${serial}.key.pem`), pem(key));
  await secret(join(folder, 'platform', `${serial}.cert.pem`), certificate);
}

async function readCertificates(folder: string): Promise<PlatformCertificate[]> {
  const names = (await readdir(join(folder, 'platform'))).filter((name) => name.endsWith('.cert.pem'));
  const certificates = await Promise.all(
    names.map(async (name) => {
      const serial = name.slice(0, -'.cert.pem'.length);
      const text = await readFile(join(folder, 'platform', name), 'utf8');
      const { validFromDate: from, validToDate: until } = new X509Certificate(text);
      const privateKey = privateKeyOf(await readFile(join(folder, 'platform', `${serial}.key.pem`), 'utf8'));
      return { serial, pem: text, from, until, privateKey };
    }),
  );
  return certificates.toSorted((a, b) => a.from.getTime() - b.from.getTime());
}

export async function readKeys(folder: string): Promise<PlatformKeys> {
  const read = async (name: string) => readFile(join(folder, name), 'utf8');
  const merchant = Merchant.parse(JSON.parse(await read('merchant.json')));
  return {
    merchant,
    merchantPublicKey: createPublicKey(await read('merchant_cert.pem')),
    publicKeyPem: await read('pub_key.pem'),
    publicKey: { serial: merchant.public_key_id, privateKey: privateKeyOf(await read(`platform/${merchant.public_key_id}.key.pem`)) },
    certificates: await readCertificates(folder),
  };
}

/** The environment that lets payment-gateway talk to the sandbox as this merchant. */
export async function merchantEnvironment(folder: string): Promise<Record<`WECHAT_${string}`, string>> {
  const { merchant } = await readKeys(folder);
  return {
    WECHAT_MCHID: merchant.mchid,
    WECHAT_APPID: merchant.appid,
    WECHAT_MERCHANT_SERIAL: merchant.merchant_serial,
    WECHAT_MERCHANT_PRIVATE_KEY_FILE: join(folder, 'merchant_key.pem'),
    WECHAT_APIV3_KEY: merchant.apiv3_key,
    WECHAT_PUBLIC_KEY_ID: merchant.public_key_id,
    WECHAT_PUBLIC_KEY_FILE: join(folder, 'pub_key.pem'),
  };
}

const newKey = async (): Promise<KeyObject> => (await makePair('rsa', { modulusLength: 2048 })).privateKey;
/** 160 bits; the first digit keeps it positive and of full length. */
const newSerial = (): string => `7${randomBytes(20).toString('hex').slice(1).toUpperCase()}`;
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const tenYears = (wall: Date) => ({ from: wall, until: new Date(wall.getTime() + TEN_YEARS_MS) });
const secret = async (path: string, content: string) => writeFile(path, content, { mode: 0o600 });
