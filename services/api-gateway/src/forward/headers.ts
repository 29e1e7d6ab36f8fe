import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

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
/** Ours to say or to know: the signature is between caller and gateway, and nobody else may speak for the marketplace. */
const ours = new Set([
  'host',
  'content-length',
  'expect',
  'authorization',
  'request-id',
  'x-request-id',
  'x-market-token',
  'x-market-instance',
]);

const namedBy = (connection: string | undefined): ReadonlySet<string> | undefined =>
  connection === undefined ? undefined : new Set(connection.split(',').map((name) => name.trim().toLowerCase()));

/** The headers for the upstream: the caller's, less what belongs to its connection and its signature. */
export function requestHeaders(from: IncomingHttpHeaders, own: Readonly<Record<string, string>>): Record<string, string | string[]> {
  const dropped = namedBy(from.connection);
  const headers: Record<string, string | string[]> = { ...own };
  for (const name in from) {
    const value = from[name];
    if (value === undefined || hopByHop.has(name) || ours.has(name) || dropped?.has(name)) continue;
    headers[name] = value;
  }
  return headers;
}

export function responseHeaders(from: Readonly<Record<string, string | string[] | undefined>>): OutgoingHttpHeaders {
  const { connection } = from;
  const dropped = namedBy(Array.isArray(connection) ? connection.join(',') : connection);
  const headers: OutgoingHttpHeaders = {};
  for (const name in from) {
    const value = from[name];
    if (value === undefined || hopByHop.has(name) || dropped?.has(name) || name === 'x-request-id') continue;
    headers[name] = value;
  }
  return headers;
}
