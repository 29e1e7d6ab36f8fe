import type { IncomingHttpHeaders } from 'node:http';

/** RFC 9110 section 7.6.1: about one connection, not about the message. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

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

const namedByConnection = (connection: string | undefined): ReadonlySet<string> =>
  new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));

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
  const dropped = namedByConnection(from.connection);
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || hopByHop.has(name) || ours.has(name) || dropped.has(name)) continue;
    headers[name] = value;
  }
  headers['x-request-id'] = hop.requestId;
  headers['x-forwarded-for'] = hop.address;
  headers['x-forwarded-proto'] = hop.protocol;
  headers['x-forwarded-host'] = hop.host;
  if (hop.traceparent !== undefined) headers['traceparent'] = hop.traceparent;
  return headers;
}

/** The upstream's headers for the client, less what belongs to the inner connection. */
export function responseHeaders(from: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | string[]> {
  const { connection } = from;
  const dropped = namedByConnection(Array.isArray(connection) ? connection.join(',') : connection);
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(from)) {
    if (value === undefined || hopByHop.has(name) || dropped.has(name) || name === 'x-request-id') continue;
    headers[name] = value;
  }
  return headers;
}
