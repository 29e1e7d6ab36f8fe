import { AccountId, ProviderId, UserId } from '@yunshi/kernel/ids';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { jwtAuth, type Auth, type Caller } from './auth.ts';

/*
 * An issuer for tests: tokens for anybody, verified as in production. Tests only; the development issuer of the gateway is the
 * one that a person uses.
 */

const digits = (nth: number): string => `0198c00000007000900${String(nth).padStart(13, '0')}`;
const person = (nth: number, caller: Pick<Caller, 'roles'>): Caller => ({
  userId: UserId.parse(`usr_${digits(nth)}`),
  accountId: AccountId.parse(`acc_${digits(nth)}`),
  ...caller,
});

export const buyer: Caller = person(1, { roles: ['buyer'] });
export const otherBuyer: Caller = person(2, { roles: ['buyer'] });
/** Of the buyer's account: may buy, and decides about what others of it buy. */
export const approver: Caller = { ...person(3, { roles: ['buyer', 'approver'] }), accountId: buyer.accountId };
export const provider: Caller = { ...person(11, { roles: ['provider'] }), providerId: ProviderId.parse(`prv_${digits(11)}`) };
export const otherProvider: Caller = { ...person(12, { roles: ['provider'] }), providerId: ProviderId.parse(`prv_${digits(12)}`) };
export const operator: Caller = person(21, { roles: ['operator'] });

export type TokenChanges = {
  readonly claims?: JWTPayload;
  readonly header?: { readonly kid?: string; readonly alg?: string };
  /** Seconds from now. */
  readonly expiresInS?: number;
};

export type TestIssuer = {
  readonly auth: Auth;
  readonly issuer: string;
  readonly audience: string;
  readonly jwks: { readonly keys: readonly object[] };
  readonly token: (caller: Caller, changes?: TokenChanges) => Promise<string>;
};

export async function testIssuer(): Promise<TestIssuer> {
  const issuer = 'https://issuer.test';
  const audience = 'yunshi';
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  const key = { ...(await exportJWK(publicKey)), kid: 'test-1', alg: 'EdDSA', use: 'sig' };
  const jwks = { keys: [key] };
  return {
    auth: jwtAuth({ issuer, audience, jwks }),
    issuer,
    audience,
    jwks,
    token: (caller, { claims = {}, header = {}, expiresInS = 600 } = {}) =>
      new SignJWT({
        iss: issuer,
        aud: audience,
        sub: caller.userId,
        account_id: caller.accountId,
        roles: [...caller.roles],
        ...(caller.providerId && { provider_id: caller.providerId }),
        exp: Math.floor(Date.now() / 1_000) + expiresInS,
        ...claims,
      })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'test-1', ...header })
        .sign(privateKey),
  };
}
