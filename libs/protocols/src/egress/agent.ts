import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { judgeUrl, type EgressRules } from './destination.ts';
import { guardedLookup } from './lookup.ts';

/**
 * The guard for libraries that make their connections themselves: an agent that connects to one host only, whatever the library is told to
 * follow, and to public addresses only unless the host is exempt.
 */
export function guardedAgent(url: string, rules: EgressRules): HttpAgent | HttpsAgent {
  const judged = judgeUrl(url, rules);
  if (!judged.ok) throw new Error(`egress: ${url} is refused: ${judged.refusal}`);
  const { host, exempt, url: to } = judged.destination;
  // Addresses that are no names are never looked up, so the host is compared before a connection is made.
  const approve = (asked: { host?: string | null | undefined; hostname?: string | null | undefined }): void => {
    const name = asked.host ?? asked.hostname ?? '';
    if (name !== host && name !== to.hostname) throw new Error(`egress: ${name} was not approved`);
  };
  const limits = { keepAlive: true, maxSockets: 16, lookup: guardedLookup(host, exempt) };
  return to.protocol === 'https:' ? new OneHostHttps(limits, approve) : new OneHostHttp(limits, approve);
}

type Approve = (asked: { host?: string | null | undefined; hostname?: string | null | undefined }) => void;

class OneHostHttps extends HttpsAgent {
  readonly #approve: Approve;
  constructor(options: ConstructorParameters<typeof HttpsAgent>[0], approve: Approve) {
    super(options);
    this.#approve = approve;
  }
  override createConnection(...[options, done]: Parameters<HttpsAgent['createConnection']>): ReturnType<HttpsAgent['createConnection']> {
    this.#approve(options);
    return super.createConnection(options, done);
  }
}

class OneHostHttp extends HttpAgent {
  readonly #approve: Approve;
  constructor(options: ConstructorParameters<typeof HttpAgent>[0], approve: Approve) {
    super(options);
    this.#approve = approve;
  }
  override createConnection(...[options, done]: Parameters<HttpAgent['createConnection']>): ReturnType<HttpAgent['createConnection']> {
    this.#approve(options);
    return super.createConnection(options, done);
  }
}
