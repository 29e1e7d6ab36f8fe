import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

export type Answer = { readonly status: number; readonly body: Record<string, unknown> };
type Asked = { readonly body?: unknown; readonly key?: string };
/** Tells how the payer pays, and what becomes of the callback. */
export type Scanning = { readonly outcome?: 'pays' | 'fails'; readonly callback?: 'at-once' | 'late' | 'lost' | 'never' };
type Known = {
  /** For somebody who has no need to log in. */
  readonly token?: string;
  /** Told of every answer, or missing answer, that means «ask again». */
  readonly onUnsure?: (why: string) => void;
  /** How often it asks, every fifth of a second, before it gives up. */
  readonly triesMax?: number;
};

/** Answers that mean «perhaps; ask again with the same key». */
const unsure = new Set([429, 500, 502, 503, 504]);
const triesUsual = 400;

/**
 * A client that behaves as the documentation asks: every request that creates something has an Idempotency-Key, and is repeated with the
 * same key until it gets a clear answer, whatever breaks meanwhile.
 */
export class Shopper {
  readonly #gateway: string;
  readonly #sandbox: string;
  readonly #onUnsure: (why: string) => void;
  readonly #triesMax: number;
  #token: string;

  constructor(
    { gateway, sandbox }: { readonly gateway: string; readonly sandbox: string },
    { token = '', onUnsure = () => {}, triesMax = triesUsual }: Known = {},
  ) {
    this.#gateway = gateway;
    this.#sandbox = sandbox;
    this.#token = token;
    this.#onUnsure = onUnsure;
    this.#triesMax = triesMax;
  }

  async login(persona: string): Promise<this> {
    this.#token = (await this.#surely(this.#gateway, 'POST', '/v1/dev/token', { body: { persona } })).body['access_token'] as string;
    return this;
  }

  get(path: string): Promise<Answer> {
    return this.#surely(this.#gateway, 'GET', path, {});
  }

  post(path: string, body: unknown, key: string = randomUUID()): Promise<Answer> {
    return this.#surely(this.#gateway, 'POST', path, { body, key });
  }

  put(path: string, body: unknown): Promise<Answer> {
    return this.#surely(this.#gateway, 'PUT', path, { body });
  }

  /** Turns the outside world's own switches. */
  outside(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
    return this.#surely(this.#sandbox, method, path, { body });
  }

  /** Asks for a payment, and answers the code to scan; undefined when the order ended before there was anything to pay. */
  async payable(orderId: string): Promise<string | undefined> {
    for (let tries = 0; tries < this.#triesMax; tries++) {
      const payment = await this.post('/v1/payments', { order_id: orderId, channel: 'wechat_native' });
      const code = (payment.body['attempts'] as { code_url: string | null }[] | undefined)?.at(-1)?.code_url;
      if (code) return code;
      const order = await this.get(`/v1/orders/${orderId}`);
      if (order.body['status'] !== 'pending_payment') return undefined;
      await pause(100 + Math.random() * 200);
    }
    throw new Error(`no code to scan for ${orderId} after ${this.#triesMax} tries`);
  }

  /** Plays the payer. */
  scan(codeUrl: string, how: Scanning = {}): Promise<Answer> {
    return this.outside('POST', '/sandbox/wechat/scan', { code_url: codeUrl, ...how });
  }

  /** Has the next something at WeChat Pay go wrong. */
  arm(what: string, times = 1): Promise<Answer> {
    return this.outside('POST', '/sandbox/wechat/next', { what, times });
  }

  async #surely(base: string, method: string, path: string, { body, key }: Asked): Promise<Answer> {
    let last: unknown;
    for (let tries = 0; tries < this.#triesMax; tries++) {
      try {
        const response = await fetch(`${base}${path}`, {
          method,
          signal: AbortSignal.timeout(15_000),
          headers: {
            ...(this.#token && { authorization: `Bearer ${this.#token}` }),
            ...(key !== undefined && { 'idempotency-key': key }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        const answer = { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
        if (!unsure.has(answer.status)) return answer;
        this.#onUnsure(String(answer.status));
        last = answer;
      } catch (error) {
        this.#onUnsure(error instanceof Error ? error.name : 'error');
        last = error;
      }
      await pause(100 + Math.random() * 200);
    }
    throw new Error(`no clear answer to ${method} ${path} after ${this.#triesMax} tries`, { cause: last });
  }
}
