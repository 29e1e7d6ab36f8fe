import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { Agent, errors, request } from 'undici';
import type { Dispatcher } from 'undici';
import { isPublicAddress, judgeUrl } from './egress/destination.ts';
import type { Destination, EgressRules, Refusal } from './egress/destination.ts';

/**
 * The one door through which calls leave to addresses that other people typed in (providers' endpoints, webhooks).
 * The name is resolved once and the connection goes to that very address, so a second answer from the resolver changes nothing.
 */

export type ResolvedAddress = { address: string; family: 4 | 6 };
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

export type EgressOptions = EgressRules & {
  /** Tried in the order given; replaced in tests to play a lying name server. */
  resolve?: Resolve;
  /** Trust anchors besides the system's, for a private certificate authority. */
  ca?: string;
};

export type Ask = {
  method: 'POST' | 'GET';
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** Over everything: name, connection, TLS, headers, body. */
  timeoutMsMax: number;
  bytesMax: number;
  signal?: AbortSignal;
};

export type Failure =
  'dns' | 'connect' | 'tls' | 'timeout' | 'aborted' | 'reset' | 'redirect' | 'too-large' | 'headers' | 'encoding' | 'protocol';

export type Answer =
  | { kind: 'answered'; status: number; headers: Readonly<Record<string, string>>; body: string; address: string; ms: number }
  /** Nothing left this machine. */
  | { kind: 'forbidden'; refusal: Refusal; detail: string }
  /** `sent` is false only where the other side cannot have seen the request. */
  | { kind: 'failed'; failure: Failure; sent: boolean; detail: string; ms: number };

export type Egress = { send(ask: Ask): Promise<Answer>; close(): Promise<void> };

/** Connections are kept for reuse per origin AND address, so reuse never weakens the check. */
const agentsMax = 256;
const headerBytesMax = 16 * 1024;

export function egress(options: EgressOptions): Egress {
  if (!options.development && options.allowed.length > 0) {
    throw new Error('egress: hosts may be exempted from the address check in development only');
  }
  const resolve = options.resolve ?? resolveBySystem;
  const agents = new Map<string, Agent>();

  const agentFor = ({ url, host, exempt }: Destination, to: ResolvedAddress): Agent => {
    const key = `${url.origin}|${to.address}|${exempt}`;
    const known = agents.get(key);
    agents.delete(key);
    const agent = known ?? agentTo(host, to, exempt, options.ca);
    agents.set(key, agent);
    if (agents.size > agentsMax) {
      const [oldest] = agents;
      if (oldest !== undefined) {
        agents.delete(oldest[0]);
        void oldest[1].close();
      }
    }
    return agent;
  };

  return {
    async send(ask) {
      const started = performance.now();
      const judged = judgeUrl(ask.url, options);
      if (!judged.ok) return { kind: 'forbidden', refusal: judged.refusal, detail: `the address is refused: ${judged.refusal}` };
      const { destination } = judged;
      const deadline = AbortSignal.timeout(ask.timeoutMsMax);
      const signal = ask.signal === undefined ? deadline : AbortSignal.any([deadline, ask.signal]);
      const failed = (failure: Failure, sent: boolean, detail: string): Answer => ({
        kind: 'failed',
        failure: signal.aborted ? (deadline.aborted ? 'timeout' : 'aborted') : failure,
        sent,
        detail,
        ms: Math.round(performance.now() - started),
      });

      let addresses: readonly ResolvedAddress[];
      try {
        addresses = await orAborted(resolve(destination.host), signal);
      } catch (error) {
        return failed('dns', false, `cannot resolve ${destination.host}: ${reason(error)}`);
      }
      // One private answer among public ones is a trap, not a choice.
      const bad = destination.exempt ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
      if (bad !== undefined) return { kind: 'forbidden', refusal: 'address', detail: `${destination.host} resolves to ${bad.address}` };
      const [to] = addresses;
      if (to === undefined) return failed('dns', false, `${destination.host} has no address`);

      const agent = agentFor(destination, to);
      try {
        const response = await exchange(agent, destination.url, ask, signal);
        if (typeof response === 'string') return failed(response, true, explain[response]);
        return { kind: 'answered', ...response, address: to.address, ms: Math.round(performance.now() - started) };
      } catch (error) {
        const { failure, sent } = classify(error);
        return failed(failure, sent, reason(error));
      }
    },
    async close() {
      const all = [...agents.values()];
      agents.clear();
      await Promise.allSettled(all.map((agent) => agent.destroy()));
    },
  };
}

const explain = {
  redirect: 'the answer redirects; redirects are not followed',
  'too-large': 'the answer is larger than allowed',
  encoding: 'the answer is compressed although that was not offered',
} as const;

async function exchange(agent: Agent, url: URL, ask: Ask, signal: AbortSignal) {
  const response = await request(url, {
    dispatcher: agent,
    method: ask.method,
    headers: { 'user-agent': 'yunshi', accept: 'application/json', 'accept-encoding': 'identity', ...ask.headers },
    ...(ask.body !== undefined && { body: ask.body }),
    signal,
  });
  const { statusCode: status, headers } = response;
  if (status >= 300 && status < 400) return discard(response, 'redirect');
  // A small compressed answer can unfold into gigabytes.
  if (!['', 'identity'].includes(one(headers['content-encoding']))) return discard(response, 'encoding');
  if (Number(one(headers['content-length'])) > ask.bytesMax) return discard(response, 'too-large');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ask.bytesMax) return discard(response, 'too-large');
    chunks.push(chunk);
  }
  const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, one(value)]));
  return { status, headers: flat, body: Buffer.concat(chunks).toString('utf8') };
}

/** Drops the connection with what is still coming on it. */
function discard<F extends Failure>(response: Dispatcher.ResponseData, failure: F): F {
  response.body.on('error', () => undefined);
  response.body.destroy();
  return failure;
}

const one = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(', ') : (value ?? ''));

/** An agent whose every connection goes to `to`; host name, SNI and certificate check stay those of the URL. */
function agentTo(host: string, to: ResolvedAddress, exempt: boolean, ca: string | undefined): Agent {
  const pinned: LookupFunction = (hostname, lookupOptions, callback) => {
    // Held by construction; it is the last line in case a library ever asks for another name.
    if (hostname !== host || (!exempt && !isPublicAddress(to.address))) {
      callback(new Error(`egress: ${hostname} was not approved`), '', 4);
      return;
    }
    if (lookupOptions.all) callback(null, [{ address: to.address, family: to.family }]);
    else callback(null, to.address, to.family);
  };
  return new Agent({
    allowH2: false,
    connections: 8,
    pipelining: 1,
    maxHeaderSize: headerBytesMax,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 30_000,
    // The deadline of each call is the limit; these only keep an abandoned socket from living longer.
    headersTimeout: 60_000,
    bodyTimeout: 60_000,
    connect: { lookup: pinned, timeout: 60_000, ...(ca !== undefined && { ca }) },
  });
}

async function resolveBySystem(host: string): Promise<ResolvedAddress[]> {
  const found = await systemLookup(host, { all: true, order: 'ipv4first' });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

const unreachable = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EACCES', 'EPERM', 'UND_ERR_CONNECT_TIMEOUT']);

function classify(error: unknown): { failure: Failure; sent: boolean } {
  const code = codeOf(error);
  if (unreachable.has(code)) return { failure: 'connect', sent: false };
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code))
    return { failure: 'tls', sent: false };
  if (error instanceof errors.HeadersOverflowError) return { failure: 'headers', sent: true };
  if (error instanceof errors.HTTPParserError) return { failure: 'protocol', sent: true };
  return { failure: 'reset', sent: true };
}

function codeOf(error: unknown): string {
  const own = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (own !== '') return own;
  return error instanceof Error && error.cause !== undefined ? codeOf(error.cause) : '';
}

const reason = (error: unknown): string => {
  const code = codeOf(error);
  return error instanceof Error ? (code === '' ? error.message : `${code}: ${error.message}`) : String(error);
};
