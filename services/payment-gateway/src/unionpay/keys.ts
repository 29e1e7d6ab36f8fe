import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { certIdOf, certificatesOf, type Trust } from '@yunshi/protocols/unionpay/certificate';
import type { SigningKey } from '@yunshi/protocols/unionpay/signature';
import { privateKeyOf } from '@yunshi/protocols/wechat/rsa';

export type KeySources = {
  /** Ours, and its key: what we sign with. */
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  /** UnionPay's. A file may hold several certificates, while one takes over from another. */
  readonly rootFile: string;
  readonly middleFile: string;
  readonly signer: string;
};

/** As the files say now. */
export type UnionpayKeys = {
  readonly signing: () => SigningKey;
  readonly trust: () => Trust;
  /** Reads the files again. What cannot be used, because it is half written or does not fit together, changes nothing and throws. */
  readonly refresh: () => Promise<void>;
  readonly stop: () => void;
};

const REREAD_MS = 10_000;

/** Keys and certificates rotate without a restart: the files are read again every ten seconds. Throws when they cannot be used at the start. */
export async function openUnionpayKeys(
  sources: KeySources,
  onFault: (error: unknown) => void,
  rereadMs = REREAD_MS,
): Promise<UnionpayKeys> {
  let known = await read(sources);
  const refresh = async (): Promise<void> => {
    known = await read(sources);
  };
  const timer = setInterval(() => void refresh().catch(onFault), rereadMs);
  timer.unref();
  return { signing: () => known.signing, trust: () => known.trust, refresh, stop: () => clearInterval(timer) };
}

async function read({ certificateFile, privateKeyFile, rootFile, middleFile, signer }: KeySources) {
  const [certificatePem, keyPem, rootPem, middlePem] = await Promise.all(
    [certificateFile, privateKeyFile, rootFile, middleFile].map((file) => readFile(file, 'utf8')),
  );
  const [certificate, privateKey] = [new X509Certificate(certificatePem!), privateKeyOf(keyPem!)];
  // Each alone would sign what nobody believes: they are being exchanged.
  if (!certificate.checkPrivateKey(privateKey)) throw new Error(`certificate ${certificate.serialNumber} is of another key`);
  const roots = certificatesOf(rootPem!);
  const stranger = roots.find((root) => !root.ca || !root.checkIssued(root));
  if (stranger) throw new Error(`certificate ${stranger.serialNumber} is no root`);
  return { signing: { certId: certIdOf(certificate), privateKey }, trust: { roots, middles: certificatesOf(middlePem!), signer } };
}
