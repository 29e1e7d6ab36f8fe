import type { Exchange, FlowAlert, FlowReading, ProviderRequest } from './request.ts';

/** How one family of providers wants to be spoken to. A new dialect implements this and is named in `app.ts`. */
export type Dialect = {
  readonly name: string;
  /** Why an endpoint's URL cannot be used, if so. */
  readonly checkUrl: (url: string) => string | undefined;
  /** Asks the endpoint to prove that it knows the token, without leaving anything behind there. */
  readonly verify: (endpoint: Endpoint) => Promise<{ readonly ok: boolean; readonly exchange: Exchange }>;
  /** Makes one call. Nothing that a provider does makes it throw. */
  readonly call: (endpoint: Endpoint, request: ProviderRequest, signal: AbortSignal) => Promise<Heard>;
  /** Where the dialect has words for metered products 计量类: what has been used, and at what to warn. */
  readonly metering?: Metering;
  /** Where the buyer's browser has to bring a signature to the single-sign-on address: the address as it is good now. */
  readonly signIn?: (endpoint: Endpoint, of: { readonly authUrl: string; readonly signId: string }) => string;
};

export type Metering = {
  readonly query: (endpoint: Endpoint, of: Metered, signal: AbortSignal) => Promise<HeardOfFlow<FlowReading>>;
  readonly set: (endpoint: Endpoint, of: Metered & { readonly alert: FlowAlert }, signal: AbortSignal) => Promise<HeardOfFlow>;
};
export type Metered = Pick<ProviderRequest, 'accountId' | 'instanceId'> & { readonly signId: string };
export type HeardOfFlow<Told = object> = {
  readonly exchange: Exchange;
  readonly outcome:
    ({ readonly kind: 'told' } & Told) | { readonly kind: 'declined'; readonly info?: string } | { readonly kind: 'failed' };
};

export type Endpoint = { readonly url: string; readonly token: string; readonly productNumber: number };

/** `dialect`: set where the single-sign-on address is good only with a signature of that dialect. */
export type Access = { dialect?: string; website?: string; authUrl?: string; additional: { name: string; value: string }[] };

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
