import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { headersThatGoOn } from '@yunshi/http/hop';

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

/** The headers for the upstream: the caller's, less what belongs to its connection and its signature. */
export const requestHeaders = (from: IncomingHttpHeaders, own: Readonly<Record<string, string>>): Record<string, string | string[]> => ({
  ...own,
  ...headersThatGoOn(from, ours),
});

const perHop = new Set(['x-request-id']);
export const responseHeaders = (from: Readonly<Record<string, string | string[] | undefined>>): OutgoingHttpHeaders =>
  headersThatGoOn(from, perHop);
