import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

export type Answer = { readonly status: number; readonly body: Record<string, unknown> };
type Asked = { readonly body?: unknown; readonly idempotent?: boolean };

/** Answers that mean «perhaps; ask again with the same key». */
const unsure = new Set([429, 500, 502, 503, 504]);
const triesMax = 400;

/**
 * A client that behaves as the documentation asks: every request that creates something has an Idempotency-Key, and is repeated with the
 * same key until it gets a clear answer, whatever breaks meanwhile.
 */
export class Shopper {
  readonly #gateway: string;
  readonly #sandbox: string;
  #token = '';

  constructor({ gateway, sandbox }: { readonly gateway: string; readonly sandbox: string }) {
    this.#gateway = gateway;
    this.#sandbox = sandbox;
  }

  async login(persona: string): Promise<this> {
    this.#token = (await this.#surely(this.#gateway, 'POST', '/v1/dev/token', { body: { persona } })).body['access_token'] as string;
    return this;
  }

  get(path: string): Promise<Answer> {
    return this.#surely(this.#gateway, 'GET', path, {});
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.#surely(this.#gateway, 'POST', path, { body, idempotent: true });
  }

  /** Asks for a payment, and answers the code to scan; undefined when the order ended before there was anything to pay. */
  async payable(orderId: string): Promise<string | undefined> {
    for (let tries = 0; tries < triesMax; tries++) {
      const payment = await this.post('/v1/payments', { order_id: orderId, channel: 'wechat_native' });
      const code = (payment.body['attempts'] as { code_url: string | null }[] | undefined)?.at(-1)?.code_url;
      if (code) return code;
      const order = await this.get(`/v1/orders/${orderId}`);
      if (order.body['status'] !== 'pending_payment') return undefined;
      await pause(100 + Math.random() * 200);
    }
    throw new Error(`no code to scan for ${orderId} after ${triesMax} tries`);
  }

  /** Plays the payer. */
  scan(codeUrl: string): Promise<Answer> {
    return this.#surely(this.#sandbox, 'POST', '/sandbox/wechat/scan', { body: { code_url: codeUrl } });
  }

  /** Has the next something at WeChat Pay go wrong. */
  arm(what: string, times = 1): Promise<Answer> {
    return this.#surely(this.#sandbox, 'POST', '/sandbox/wechat/next', { body: { what, times } });
  }

  async #surely(base: string, method: string, path: string, { body, idempotent }: Asked): Promise<Answer> {
    const key = randomUUID();
    let last: unknown;
    for (let tries = 0; tries < triesMax; tries++) {
      try {
        const response = await fetch(`${base}${path}`, {
          method,
          signal: AbortSignal.timeout(15_000),
          headers: {
            ...(this.#token && { authorization: `Bearer ${this.#token}` }),
            ...(idempotent && { 'idempotency-key': key }),
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const answer = { status: response.status, body: (await response.json()) as Record<string, unknown> };
        if (!unsure.has(answer.status)) return answer;
        last = answer;
      } catch (error) {
        last = error;
      }
      await pause(100 + Math.random() * 200);
    }
    throw new Error(`no clear answer to ${method} ${path} after ${triesMax} tries`, { cause: last });
  }
}
