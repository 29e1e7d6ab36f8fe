import type { IncomingHttpHeaders } from 'node:http';
import { headersThatGoOn } from '@yunshi/http/hop';

/** Ours to say: what a client writes there would be taken for the gateway's word. */
const ours = new Set([
  'host',
  'content-length',
  'expect',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
  'x-request-id',
  'traceparent',
  'tracestate',
  'baggage',
]);

export type Hop = {
  readonly address: string;
  readonly protocol: string;
  readonly host: string;
  readonly requestId: string;
  /** Undefined when telemetry adds it to the call itself. */
  readonly traceparent: string | undefined;
};

/** The headers for the upstream: the client's, less what belongs to its connection, and what the gateway knows of it. */
export function requestHeaders(from: IncomingHttpHeaders, hop: Hop): Record<string, string | string[]> {
  const headers = headersThatGoOn(from, ours);
  headers['x-request-id'] = hop.requestId;
  headers['x-forwarded-for'] = hop.address;
  headers['x-forwarded-proto'] = hop.protocol;
  headers['x-forwarded-host'] = hop.host;
  if (hop.traceparent !== undefined) headers['traceparent'] = hop.traceparent;
  return headers;
}

const perHop = new Set(['x-request-id']);
/** The upstream's headers for the client, less what belongs to the inner connection. */
export const responseHeaders = (from: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | string[]> =>
  headersThatGoOn(from, perHop);
