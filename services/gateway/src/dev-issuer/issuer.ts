import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Caller } from '@yunshi/http/auth';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';

const alg = 'EdDSA';
/** A working day: nobody signs in again in the middle of a try-out. */
export const tokenLifeS = 12 * 3_600;

export type DevIssuer = {
  readonly jwks: { readonly keys: JWK[] };
  readonly token: (caller: Caller, more: { readonly name: string }) => Promise<string>;
};

/** The key in the file; made when there is none. Two processes that start at once end up with the same one. */
async function keyIn(file: string): Promise<JWK> {
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept) as JWK;
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  const key = await exportJWK(privateKey);
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, JSON.stringify({ ...key, kid: await calculateJwkThumbprint(key), alg, use: 'sig' }), { mode: 0o600 });
  // A link fails when the name is taken, and never shows half a file.
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(draft);
  return JSON.parse(await readFile(file, 'utf8')) as JWK;
}

/** Signs tokens for anybody who asks. Development only; `config.ts` refuses it in production. */
export async function devIssuer({ issuer, audience, keyFile }: { issuer: string; audience: string; keyFile: string }): Promise<DevIssuer> {
  const key = await keyIn(keyFile);
  const secret = await importJWK(key, alg);
  const { d: _private, ...published } = key;
  return {
    jwks: { keys: [published] },
    token: (caller, { name }) =>
      new SignJWT({
        account_id: caller.accountId,
        roles: [...caller.roles],
        ...(caller.providerId && { provider_id: caller.providerId }),
        name,
      })
        .setProtectedHeader({ alg, kid: key.kid!, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(caller.userId)
        .setJti(randomBytes(12).toString('base64url'))
        .setIssuedAt()
        .setExpirationTime(`${tokenLifeS}s`)
        .sign(secret),
  };
}
