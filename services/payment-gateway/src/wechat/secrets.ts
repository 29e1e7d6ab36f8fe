import { X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Merchant } from '@yunshi/protocols/wechat/request-signature';
import { privateKeyOf } from '@yunshi/protocols/wechat/rsa';
import { apiV3Key } from '@yunshi/protocols/wechat/seal';

/** A secret as it is, or the file that it is in. */
export type Secret = { readonly value: string } | { readonly file: string };

export type SecretSources = {
  readonly mchid: string;
  readonly privateKeyFile: string;
  /** Of the API certificate: as a number, or to be read from the certificate, which then may change together with the key. */
  readonly serial: { readonly number: string } | { readonly certificateFile: string };
  /** A file may have several lines, each a key: while one takes over from another, callbacks sealed with either are opened. */
  readonly apiV3Key: Secret;
};

/** What the merchant signs with, and what WeChat Pay seals with, as the files say now. */
export type Secrets = {
  readonly merchant: () => Merchant;
  readonly apiV3Keys: () => readonly Buffer[];
  /** Reads the files again. What cannot be used, because it is half written or does not fit together, changes nothing and throws. */
  readonly refresh: () => Promise<void>;
  readonly stop: () => void;
};

const REREAD_MS = 10_000;

/** Keys rotate without a restart: the files are read again every ten seconds. Throws when they cannot be used at the start. */
export async function openSecrets(
  sources: SecretSources,
  onFault: (error: unknown) => void,
  rereadMs: number = REREAD_MS,
): Promise<Secrets> {
  let known = await read(sources);
  const refresh = async (): Promise<void> => {
    known = await read(sources);
  };
  const timer = setInterval(() => void refresh().catch(onFault), rereadMs);
  timer.unref();
  return {
    merchant: () => known.merchant,
    apiV3Keys: () => known.apiV3Keys,
    refresh,
    stop: () => clearInterval(timer),
  };
}

async function read({ mchid, privateKeyFile, serial, apiV3Key: sealed }: SecretSources) {
  const privateKey = privateKeyOf(await readFile(privateKeyFile, 'utf8'));
  const serialNo = 'number' in serial ? serial.number : serialOf(await readFile(serial.certificateFile, 'utf8'), privateKey);
  const text = 'value' in sealed ? sealed.value : await readFile(sealed.file, 'utf8');
  const apiV3Keys = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(apiV3Key);
  if (apiV3Keys.length === 0) throw new Error('there is no APIv3 key');
  return { merchant: { mchid, serialNo, privateKey }, apiV3Keys };
}

/** A certificate and a key that do not belong together are two that are being exchanged: each alone would sign what nobody believes. */
function serialOf(pem: string, privateKey: KeyObject): string {
  const certificate = new X509Certificate(pem);
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(`certificate ${certificate.serialNumber} is of another key`);
  return certificate.serialNumber;
}
