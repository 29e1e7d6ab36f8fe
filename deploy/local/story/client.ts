import { setTimeout as pause } from 'node:timers/promises';
import { NotSo, type Voice } from './voice.ts';

export type Answer<T> = { readonly status: number; readonly body: T; readonly headers: Headers };
type Asked = { readonly body?: unknown; readonly key?: string; readonly as?: string };

/** Real HTTP requests; each one that the story is about is shown as the curl command that does the same. */
export type Client = {
  /** Shows the request and makes it. */
  readonly show: <T>(method: string, path: string, asked?: Asked) => Promise<Answer<T>>;
  /** Makes it without a word, to look at something or to wait for it. */
  readonly quietly: <T>(method: string, path: string, asked?: Asked) => Promise<Answer<T>>;
};

const shown = (url: string, method: string, { body, key, as }: Asked): string =>
  [
    'curl -s',
    method === 'GET' ? undefined : `-X ${method}`,
    `'${url}'`,
    as === undefined ? undefined : `-H "authorization: Bearer $${as.toUpperCase()}"`,
    key === undefined ? undefined : `-H 'idempotency-key: ${key}'`,
    body === undefined ? undefined : `-H 'content-type: application/json' -d '${JSON.stringify(body)}'`,
  ]
    .filter((part) => part !== undefined)
    .join(' ');

/** `tokens`: who is meant by `as`. */
export function client(baseUrl: string, tokens: ReadonlyMap<string, string>, voice: Voice): Client {
  const request = async <T>(method: string, path: string, asked: Asked = {}): Promise<Answer<T>> => {
    const { body, key, as } = asked;
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      signal: AbortSignal.timeout(20_000),
      headers: {
        ...(as !== undefined && { authorization: `Bearer ${tokens.get(as)}` }),
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '') ? (JSON.parse(text) as T) : (text as T);
    return { status: response.status, body: json, headers: response.headers };
  };
  return {
    show: (method, path, asked = {}) => {
      voice.curl(shown(`${baseUrl}${path}`, method, asked));
      return request(method, path, asked);
    },
    quietly: request,
  };
}

/** Looks until it is so; gives up after `withinMs` with what was seen last. */
export async function waitFor<T>(what: string, look: () => Promise<T>, isSo: (seen: T) => boolean, withinMs = 30_000): Promise<T> {
  const started = performance.now();
  for (;;) {
    const seen = await look();
    if (isSo(seen)) return seen;
    if (performance.now() - started > withinMs) throw new NotSo(`${what} within ${withinMs / 1_000} s`, seen);
    await pause(50);
  }
}
