import type { Exchange, ProviderRequest } from './calls.ts';

/** How one family of providers wants to be spoken to. A new dialect implements this and is named in `app.ts`. */
export type Dialect = {
  readonly name: string;
  /** Why an endpoint's URL cannot be used, if so. */
  readonly checkUrl: (url: string) => string | undefined;
  /** Asks the endpoint to prove that it knows the token. */
  readonly verify: (endpoint: Endpoint) => Promise<{ readonly ok: boolean; readonly exchange: Exchange }>;
  /** Makes one call. Nothing that a provider does makes it throw. */
  readonly call: (endpoint: Endpoint, request: ProviderRequest, signal: AbortSignal) => Promise<Heard>;
};

export type Endpoint = { readonly url: string; readonly token: string; readonly productNumber: number };

export type Access = { website?: string; authUrl?: string; additional: { name: string; value: string }[] };

export type Heard = {
  readonly exchange: Exchange;
  readonly outcome:
    | { kind: 'delivered'; signId: string; access: Access }
    | { kind: 'pending' }
    | { kind: 'agreed' }
    | { kind: 'declined' }
    /** `sent` is false only where the provider cannot have seen the call. */
    | { kind: 'failed'; sent: boolean };
};
