/**
 * The key folder of 商企付: what the channel and one platform know of each other. Made once; the platform's side gets its own private key
 * and the channel's public key.
 */
import { createPublicKey, generateKeyPair, randomBytes, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { privateKeyOf, publicKeyOf } from '@yunshi/protocols/wechat/rsa';
import { z } from 'zod';

const makePair = promisify(generateKeyPair);
const Names = z.object({ platform_id: z.string(), platform_serial: z.string(), tbep_serial: z.string() });

export type BankKeys = {
  readonly platformId: string;
  readonly platformSerial: string;
  readonly platformPublicKey: KeyObject;
  readonly channel: { readonly serial: string; readonly privateKey: KeyObject };
};

const newSerial = (): string => `5${randomBytes(20).toString('hex').slice(1).toUpperCase()}`;
const secret = async (path: string, content: string) => writeFile(path, content, { mode: 0o600 });
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
const publicPem = (key: KeyObject): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();

/** Makes the folder unless it is there. Of several that try at once, one wins and all read the same keys. */
export async function ensureBankKeys(folder: string): Promise<BankKeys> {
  if (!existsSync(join(folder, 'names.json'))) {
    await mkdir(dirname(folder), { recursive: true });
    const draft = await mkdtemp(`${folder}.draft-`);
    await makeKeys(draft);
    await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
      await rm(draft, { recursive: true });
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }
  const read = async (name: string) => readFile(join(folder, name), 'utf8');
  const names = Names.parse(JSON.parse(await read('names.json')));
  return {
    platformId: names.platform_id,
    platformSerial: names.platform_serial,
    platformPublicKey: publicKeyOf(await read('platform_pub.pem')),
    channel: { serial: names.tbep_serial, privateKey: privateKeyOf(await read('tbep_key.pem')) },
  };
}

async function makeKeys(folder: string): Promise<void> {
  const [platform, channel] = await Promise.all([makePair('rsa', { modulusLength: 2048 }), makePair('rsa', { modulusLength: 2048 })]);
  await secret(join(folder, 'platform_key.pem'), pem(platform.privateKey));
  await secret(join(folder, 'platform_pub.pem'), publicPem(platform.privateKey));
  await secret(join(folder, 'tbep_key.pem'), pem(channel.privateKey));
  await secret(join(folder, 'tbep_pub.pem'), publicPem(channel.privateKey));
  const names = { platform_id: `10${randomBytes(4).readUInt32BE()}`, platform_serial: newSerial(), tbep_serial: newSerial() };
  await secret(join(folder, 'names.json'), `${JSON.stringify(names, null, 2)}\n`);
}

/** The environment that lets payment-gateway talk to this sandbox as that platform. */
export async function platformEnvironment(folder: string): Promise<Record<`MSE_PAY_${string}`, string>> {
  const names = Names.parse(JSON.parse(await readFile(join(folder, 'names.json'), 'utf8')));
  return {
    MSE_PAY_PLATFORM_ID: names.platform_id,
    MSE_PAY_PLATFORM_SERIAL: names.platform_serial,
    MSE_PAY_PLATFORM_PRIVATE_KEY_FILE: join(folder, 'platform_key.pem'),
    MSE_PAY_TBEP_SERIAL: names.tbep_serial,
    MSE_PAY_TBEP_PUBLIC_KEY_FILE: join(folder, 'tbep_pub.pem'),
  };
}
