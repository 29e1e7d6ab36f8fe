import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AccountId, ProviderId, UserId } from '@yunshi/kernel/ids';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll } from 'vitest';

export type Person = {
  readonly userId: UserId;
  readonly accountId: AccountId;
  readonly roles: readonly ('buyer' | 'approver' | 'provider' | 'operator')[];
  readonly providerId?: ProviderId;
};

export type TestIssuer = {
  /** What a service needs in its environment to believe the tokens. */
  readonly env: { readonly AUTH_ISSUER: string; readonly AUTH_JWKS_URL: string; readonly AUTH_AUDIENCE: string };
  /** The Authorization header of somebody, good for ten minutes. */
  readonly as: (person: Person) => Promise<{ readonly authorization: string }>;
};

const audience = 'yunshi-test';

/** An OIDC issuer of a test file: real keys, published over real HTTP. It is stopped after the file. */
export async function testIssuer(): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA');
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' }] };
  const server = createServer((_, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify(keys)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { AUTH_ISSUER: url, AUTH_JWKS_URL: `${url}/jwks`, AUTH_AUDIENCE: audience },
    as: async ({ userId, accountId, roles, providerId }) => {
      const token = await new SignJWT({ account_id: accountId, roles: [...roles], ...(providerId && { provider_id: providerId }) })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'test' })
        .setSubject(userId)
        .setIssuer(url)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('10 minutes')
        .sign(privateKey);
      return { authorization: `Bearer ${token}` };
    },
  };
}
