import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * The token of Alibaba Cloud Marketplace's SaaS SPI: MD5 over everything that the query says, sorted by name, and the key. JD Cloud's
 * interface has the same rule. Nothing in it is a time, except where a call carries `timeStamp`.
 */

export type Params = Readonly<Record<string, string>>;

/** Lower-case hex MD5 of `k=v&…&key=…` over all parameters but `token`: values as they are before URL encoding, empty ones kept. */
export function tokenOf(params: Params, key: string): string {
  const names = Object.keys(params).filter((name) => name !== 'token');
  names.sort((a, b) => Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8')));
  const text = `${names.map((name) => `${name}=${params[name]}`).join('&')}&key=${key}`;
  return createHash('md5').update(text, 'utf8').digest('hex');
}

/** The query of a call without its token: what a log may keep. */
export const queryOf = (params: Params): string =>
  Object.entries(params)
    // %20 rather than "+": not every provider reads a query as a form.
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');

/** The URL of one call. Parameters that the URL brings itself are signed too, because a provider signs over all that arrives. */
export function spiUrl(url: string, params: Params, key: string): string {
  const [address = '', fragment] = url.split('#', 2);
  const own = Object.fromEntries(new URL(address).searchParams);
  const token = tokenOf({ ...own, ...params }, key);
  return `${address}${address.includes('?') ? '&' : '?'}${queryOf(params)}&token=${token}${fragment === undefined ? '' : `#${fragment}`}`;
}

/** What a provider does on arrival: it signs whatever came, parameters that it does not know included. */
export function isGenuine(query: Readonly<Record<string, unknown>>, key: string): boolean {
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(query)) {
    // A parameter that comes twice is nothing that the marketplace sends.
    if (typeof value !== 'string') return false;
    params[name] = value;
  }
  const given = Buffer.from(params['token'] ?? '', 'utf8');
  const expected = Buffer.from(tokenOf(params, key), 'utf8');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
