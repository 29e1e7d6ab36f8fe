import { sign } from './signature.ts';
import type { Stamp } from './signature.ts';

export type AddressRefusal = 'not-a-url' | 'not-https' | 'port' | 'credentials' | 'query' | 'fragment';

/**
 * Whether a provider's 发货 URL may be saved. The protocol wants HTTPS on port 443 and a URL without a query of its own;
 * `development` also allows http and other ports, because the sandbox listens there. What the address resolves to is the egress guard's business.
 */
export function checkDeliveryUrl(url: string, { development }: { development: boolean }): AddressRefusal | undefined {
  const parsed = URL.parse(url);
  if (parsed === null) return 'not-a-url';
  if (parsed.protocol !== 'https:' && !(development && parsed.protocol === 'http:')) return 'not-https';
  // The parser drops a port that is the scheme's own.
  if (parsed.port !== '' && !development) return 'port';
  if (parsed.username !== '' || parsed.password !== '') return 'credentials';
  if (url.includes('?')) return 'query';
  if (url.includes('#')) return 'fragment';
  return undefined;
}

/** The URL of one try. Made anew for each, because providers refuse a signature older than 30 seconds. */
export function signedUrl(url: string, token: string, stamped: Stamp): string {
  return `${url}?signature=${sign(token, stamped)}&timestamp=${stamped.timestamp}&eventId=${stamped.eventId}`;
}

/** What may be kept in a log: a signature is good for 30 seconds, and whoever reads the log need not hold one. */
export function redactUrl(signed: string): string {
  return signed.replace(/([?&]signature=)[^&#]*/g, '$1***');
}
