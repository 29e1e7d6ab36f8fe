import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, request } from 'undici';

/** Somebody who buys: a token, and the coupons that were claimed for it. */
export type Buyer = { readonly token: string; readonly claims: string[] };

/** What everybody buys. */
export type Wish = {
  readonly sku_id: string;
  readonly quantity: number;
  readonly duration: number;
  readonly accepted_agreements: readonly string[];
};

export type Urls = { readonly gateway: string; readonly sandbox: string };

type Answer = { readonly status: number; readonly body: Record<string, unknown> };

const connectionsMax = 512;
const requestMsMax = 15_000;
const triesMax = 40;
/** Answers that mean «perhaps; ask again with the same key». */
const unsure = new Set([429, 500, 502, 503, 504]);

const agent = new Agent({ connections: connectionsMax, headersTimeout: requestMsMax, bodyTimeout: requestMsMax });

/** How often it had to be asked again, by status or error. */
export const repeated = new Map<string, number>();
const noteRepeated = (why: string) => repeated.set(why, (repeated.get(why) ?? 0) + 1);

/** Asks until there is a clear answer, with one key: what was acknowledged is never asked for twice. */
export async function surely(url: string, token: string | undefined, body: unknown): Promise<Answer> {
  const key = randomUUID();
  const text = body === undefined ? undefined : JSON.stringify(body);
  for (let tries = 1; ; tries++) {
    try {
      const answer = await request(url, {
        dispatcher: agent,
        method: 'POST',
        headers: {
          ...(text !== undefined && { 'content-type': 'application/json' }),
          'idempotency-key': key,
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...(text !== undefined && { body: text }),
      });
      const read = { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
      const isNotYet = read.status === 409 && read.body['code'] === 'payment-not-ready';
      if (!unsure.has(read.status) && !isNotYet) return read;
      if (tries === triesMax) throw new Error(`POST ${url} answered ${read.status} ${triesMax} times: ${JSON.stringify(read.body)}`);
      noteRepeated(String(read.status));
    } catch (error) {
      if (tries === triesMax) throw error;
      noteRepeated((error as { code?: string }).code ?? 'error');
    }
    await pause(200 + Math.random() * 300);
  }
}

function expected(status: number, answer: Answer): Record<string, unknown> {
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Orders; answers the order's id. */
export async function order({ gateway }: Urls, { token, claims }: Buyer, wish: Wish, withCoupon: boolean): Promise<string> {
  const coupon = (withCoupon ? claims.pop() : undefined) ?? 'none';
  return expected(201, await surely(`${gateway}/v1/orders`, token, { ...wish, coupon }))['order_id'] as string;
}

/** Opens an attempt to pay, and pays it at the sandbox. */
export async function pay(urls: Urls, buyer: Buyer, orderId: string): Promise<void> {
  const codeUrl = await codeOf(urls, buyer, orderId);
  expected(200, await surely(`${urls.sandbox}/sandbox/wechat/scan`, undefined, { code_url: codeUrl }));
}

/** Asks again where the channel is so slow that the attempt is shown before its code has come, as a buyer's page would. */
async function codeOf({ gateway }: Urls, { token }: Buyer, orderId: string): Promise<string> {
  for (let tries = 1; ; tries++) {
    const payment = expected(201, await surely(`${gateway}/v1/payments`, token, { order_id: orderId, channel: 'wechat_native' }));
    const code = (payment['attempts'] as { code_url: string | null }[]).find(({ code_url: url }) => url !== null)?.code_url;
    if (code) return code;
    if (tries === triesMax) throw new Error(`no code to pay order ${orderId}: ${JSON.stringify(payment)}`);
    noteRepeated('no code yet');
    await pause(200 + Math.random() * 300);
  }
}

export const closeConnections = (): Promise<void> => agent.close();
