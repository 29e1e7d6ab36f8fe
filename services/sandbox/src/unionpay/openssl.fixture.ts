/**
 * A stranger who knows the algorithms, and nothing of us: openssl by its command line, and the text put together by hand. On a machine
 * that has none, the OpenSSL in Node says it.
 */
import { execFile, spawnSync } from 'node:child_process';
import { createHash, verify, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

type Signed = { readonly text: string; readonly signature: string; readonly certificate: string };

/** @returns «Verified OK» if a signature is over the digest of a text, by the key of a certificate's file */
export async function opensslSays(dir: string, { text, signature, certificate }: Signed): Promise<string> {
  const bytes = Buffer.from(signature, 'base64');
  if (!hasOpenssl) {
    const { publicKey } = new X509Certificate(await readFile(certificate));
    const digest = createHash('sha256').update(text).digest('hex');
    return verify('sha256', Buffer.from(digest), publicKey, bytes) ? 'Verified OK' : 'Verification failure';
  }
  const at = (name: string) => join(dir, `openssl-${name}`);
  await writeFile(at('text'), text);
  const { stdout: digest } = await run('openssl', ['dgst', '-sha256', '-r', at('text')]);
  await writeFile(at('digest'), digest.slice(0, 64));
  await writeFile(at('signature'), bytes);
  const { stdout: key } = await run('openssl', ['x509', '-in', certificate, '-pubkey', '-noout']);
  await writeFile(at('key'), key);
  const ask = ['dgst', '-sha256', '-verify', at('key'), '-signature', at('signature'), at('digest')];
  return run('openssl', ask).then(
    ({ stdout }) => stdout.trim(),
    (error: { stdout: string }) => error.stdout.trim(),
  );
}

type Chain = { readonly root: string; readonly middle: string; readonly leaf: string };

/** @returns whether a certificate leads to the root, all by the names of their files */
export async function opensslTrusts({ root, middle, leaf }: Chain, at: Date): Promise<boolean> {
  if (!hasOpenssl) {
    const [top, between, end] = await Promise.all([root, middle, leaf].map(async (file) => new X509Certificate(await readFile(file))));
    return end!.verify(between!.publicKey) && between!.verify(top!.publicKey);
  }
  const ask = ['verify', '-attime', String(at.getTime() / 1_000), '-x509_strict', '-CAfile', root, '-untrusted', middle, leaf];
  return run('openssl', ask).then(
    () => true,
    () => false,
  );
}

/** @returns the serial number of a certificate, in hexadecimal digits */
export async function opensslSerial(certificate: string): Promise<string> {
  if (!hasOpenssl) return new X509Certificate(await readFile(certificate)).serialNumber;
  const { stdout } = await run('openssl', ['x509', '-in', certificate, '-serial', '-noout']);
  return stdout.trim().split('=')[1] ?? '';
}
