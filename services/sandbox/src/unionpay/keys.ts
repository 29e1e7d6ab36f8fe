/**
 * The key folder of UnionPay: an authority of its own, what UnionPay signs with, and what one merchant does. Made once; the merchant's side
 * gets its own certificate and key, and UnionPay's root and middle certificates.
 *
 *     root_cert.pem  root_key.pem          the authority
 *     middle_cert.pem  middle_key.pem      issued by it
 *     unionpay_cert.pem  unionpay_key.pem  issued by the middle one: UnionPay signs with it
 *     merchant_cert.pem  merchant_key.pem  issued by the middle one: the merchant signs with it
 */
import { generateKeyPair, randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { certIdOf } from '@yunshi/protocols/unionpay/certificate';
import { privateKeyOf } from '@yunshi/protocols/wechat/rsa';
import { issued, selfSigned, type Issuer } from '../certificate.ts';

const makePair = promisify(generateKeyPair);
const organisation = 'Yunshi sandbox';
/** Whose certificates a merchant of UnionPay's test system believes. */
export const TEST_SIGNER = '00040000:SIGN';
const TEN_YEARS_MS = 10 * 365 * 86_400_000;

export type UnionpaySigning = { readonly certificate: string; readonly privateKey: KeyObject };
export type UnionpayFolder = {
  readonly signing: () => UnionpaySigning;
  /** Of the merchant's certificate, as it has given it to UnionPay. */
  readonly merchantKeyOf: (certId: string) => Promise<KeyObject | undefined>;
  /** Another certificate takes over, as before the old one ends. */
  readonly renew: (wall: Date) => Promise<void>;
};

/** Makes the folder unless it is there. Of several that try at once, one wins and all read the same keys. */
export async function ensureUnionpayKeys(folder: string, wall: Date): Promise<UnionpayFolder> {
  if (!existsSync(join(folder, 'merchant_cert.pem'))) {
    await mkdir(dirname(folder), { recursive: true });
    const draft = await mkdtemp(`${folder}.draft-`);
    await makeKeys(draft, wall);
    await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
      await rm(draft, { recursive: true });
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }
  const read = async (name: string) => readFile(join(folder, name), 'utf8');
  const readSigning = async (): Promise<UnionpaySigning> => ({
    certificate: await read('unionpay_cert.pem'),
    privateKey: privateKeyOf(await read('unionpay_key.pem')),
  });
  let signing = await readSigning();
  return {
    signing: () => signing,
    merchantKeyOf: async (certId) => {
      const certificate = new X509Certificate(await read('merchant_cert.pem'));
      return certIdOf(certificate) === certId ? certificate.publicKey : undefined;
    },
    renew: async (at) => {
      await writePair(folder, 'unionpay', signerName(), await middleOf(folder), at);
      signing = await readSigning();
    },
  };
}

async function makeKeys(folder: string, wall: Date): Promise<void> {
  const root = { commonName: 'Yunshi sandbox root', organisation };
  const middle = { commonName: 'Yunshi sandbox middle', organisation };
  const [rootKey, middleKey] = await Promise.all([newKey(), newKey()]);
  const good = { from: wall, until: new Date(wall.getTime() + TEN_YEARS_MS) };
  const rootPem = selfSigned({ ...root, ...good, serial: newSerial() }, rootKey, 'issues certificates');
  const middlePem = issued({ ...middle, ...good, serial: newSerial() }, middleKey, { ...root, privateKey: rootKey }, 'issues certificates');
  await write(folder, 'root', rootPem, rootKey);
  await write(folder, 'middle', middlePem, middleKey);
  const by = { ...middle, privateKey: middleKey };
  await writePair(folder, 'unionpay', signerName(), by, wall);
  await writePair(folder, 'merchant', '051@Yunshi@N777290058110001@00000001', by, wall);
}

/** Another certificate of the merchant's, which UnionPay is told of. */
export const renewMerchant = async (folder: string, wall: Date): Promise<void> =>
  writePair(folder, 'merchant', '051@Yunshi@N777290058110001@00000002', await middleOf(folder), wall);

/** For tests: whatever else the authority, or somebody in its place, might issue. */
export async function middleOf(folder: string): Promise<Issuer> {
  return {
    commonName: 'Yunshi sandbox middle',
    organisation,
    privateKey: privateKeyOf(await readFile(join(folder, 'middle_key.pem'), 'utf8')),
  };
}

export const signerName = (owner: string = TEST_SIGNER): string => `041@Z12@${owner}@00000001`;

async function writePair(folder: string, name: string, commonName: string, by: Issuer, wall: Date): Promise<void> {
  const key = await newKey();
  const spec = { commonName, organisation, serial: newSerial(), from: wall, until: new Date(wall.getTime() + TEN_YEARS_MS) };
  await write(folder, name, issued(spec, key, by), key);
}

async function write(folder: string, name: string, certificate: string, key: KeyObject): Promise<void> {
  const secret = async (path: string, content: string) => writeFile(path, content, { mode: 0o600 });
  await secret(join(folder, `${name}_cert.pem`), certificate);
  await secret(join(folder, `${name}_key.pem`), key.export({ type: 'pkcs8', format: 'pem' }).toString());
}

export const newKey = async (): Promise<KeyObject> => (await makePair('rsa', { modulusLength: 2048 })).privateKey;
/** 160 bits; the first digit keeps it positive and of full length. */
export const newSerial = (): string => `4${randomBytes(20).toString('hex').slice(1).toUpperCase()}`;

/** The environment that lets payment-gateway talk to this sandbox as that merchant. */
export const unionpayEnvironment = (folder: string): Record<`UNIONPAY_${string}`, string> => ({
  UNIONPAY_CERTIFICATE_FILE: join(folder, 'merchant_cert.pem'),
  UNIONPAY_PRIVATE_KEY_FILE: join(folder, 'merchant_key.pem'),
  UNIONPAY_ROOT_FILE: join(folder, 'root_cert.pem'),
  UNIONPAY_MIDDLE_FILE: join(folder, 'middle_cert.pem'),
  UNIONPAY_SIGNER: TEST_SIGNER,
});
