import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { callerOf } from './caller.ts';
import { Problem } from './problem.ts';

/** What makes a write happen once: whose key it is, the key, and what was asked with it. The core's lane takes it as it is. */
export type Idempotency = { readonly account: string; readonly key: string; readonly hash: string };

const printable = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/;

/** Reads the Idempotency-Key header; a route that creates or moves money refuses a request without one. */
export function idempotencyKey(header: string | readonly string[] | undefined): string {
  if (header === undefined || header.length === 0) throw new Problem('idempotency-key-missing');
  if (typeof header !== 'string' || !printable.test(header)) throw new Problem('idempotency-key-not-valid');
  return header;
}

/** The same JSON value always gives the same text: members sorted by name. `undefined` members are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/**
 * What a caller must repeat exactly for the same key: method, path, account and body. The body counts as validated, so that
 * neither the order of members nor a default that is spelled out makes another request of it.
 */
export function requestHash(method: string, path: string, account: string, body: unknown): string {
  return createHash('sha256')
    .update(canonicalJson([method, path, account, body]))
    .digest('base64url');
}

/** The idempotency of a request on a route with `config.idempotency: 'required'`. */
export function idempotencyOf(request: FastifyRequest): Idempotency {
  const account = callerOf(request).accountId;
  const [path = ''] = request.url.split('?', 1);
  return {
    account,
    key: idempotencyKey(request.headers['idempotency-key']),
    hash: requestHash(request.method, path, account, request.body ?? null),
  };
}
