import type { Instance } from '../instance/instance.ts';
import type { EndpointBook } from '../endpoint/endpoints.ts';
import type { Access, Dialect } from './dialect.ts';

/** The single-sign-on address 免登地址 as it is good now: some dialects want it signed when the buyer goes there. */
export type SignIn = (instance: Pick<Instance, 'productId' | 'providerId' | 'signId'>, access: Access) => Promise<string | undefined>;

export const signInWith =
  ({ endpoints, dialects }: { readonly endpoints: Pick<EndpointBook, 'of'>; readonly dialects: readonly Dialect[] }): SignIn =>
  async ({ productId, providerId, signId }, { authUrl, dialect: name }) => {
    if (authUrl === undefined || name === undefined || signId === null) return authUrl;
    const endpoint = await endpoints.of(productId, providerId);
    const dialect = dialects.find((one) => one.name === name);
    // A provider that has turned to another dialect since checks no signature of this one any more.
    if (endpoint?.dialect !== name || dialect?.signIn === undefined) return authUrl;
    return dialect.signIn(endpoint, { authUrl, signId });
  };
