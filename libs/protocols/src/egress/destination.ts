import ipaddr from 'ipaddr.js';

/** Decides, without touching the network, whether a URL or an address may be called at all. */

export type Refusal = 'not-a-url' | 'scheme' | 'credentials' | 'port' | 'host' | 'address';

/**
 * `development` lets the listed `host:port` pairs be called over plain http and on private addresses, and nothing else:
 * the sandbox that plays the outside world listens on 127.0.0.1. Outside development the list must be empty.
 */
export type EgressRules = { development: boolean; allowed: readonly string[] };

export type Destination = {
  url: URL;
  host: string;
  port: number;
  /** on the development list, so its address is not judged */ exempt: boolean;
};

/** Names that resolve to this machine or this network by convention, whatever a resolver says. */
const privateSuffixes = ['localhost', 'local', 'internal', 'intranet', 'lan', 'home', 'corp', 'private', 'arpa', 'onion'];

/** Public by number, but answered inside a cloud by its own metadata or fabric service. */
const metadataAddresses = new Set(['168.63.129.16']);

export function judgeUrl(address: string, rules: EgressRules): { ok: true; destination: Destination } | { ok: false; refusal: Refusal } {
  const url = URL.parse(address);
  if (url === null) return { ok: false, refusal: 'not-a-url' };
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return { ok: false, refusal: 'scheme' };
  if (url.username !== '' || url.password !== '') return { ok: false, refusal: 'credentials' };
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (rules.development && rules.allowed.includes(`${url.hostname}:${port}`))
    return { ok: true, destination: { url, host, port, exempt: true } };
  if (url.protocol !== 'https:') return { ok: false, refusal: 'scheme' };
  if (port !== 443) return { ok: false, refusal: 'port' };
  if (ipaddr.isValid(host)) {
    return isPublicAddress(host) ? { ok: true, destination: { url, host, port, exempt: false } } : { ok: false, refusal: 'address' };
  }
  // A trailing dot reaches the same host under a name that no list knows and no certificate carries.
  const labels = host.split('.');
  const last = labels.at(-1) ?? '';
  if (labels.length < 2 || last === '' || privateSuffixes.includes(last)) return { ok: false, refusal: 'host' };
  return { ok: true, destination: { url, host, port, exempt: false } };
}

/**
 * Whether an address belongs to the public Internet. For IPv6 that is the one block that is handed out (2000::/3), less its special ranges:
 * whatever embeds an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) could smuggle a private one in, so all of it stays out.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address) || metadataAddresses.has(address)) return false;
  // A zone such as %eth0 names a link of this machine.
  if (address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed.kind() === 'ipv4' || parsed.match(ipaddr.IPv6.parseCIDR('2000::/3'));
}
