import type { z } from 'zod';

/** Bodies that somebody else wrote, read without ever throwing. */

export type Unreadable = { kind: 'unreadable'; why: string };

export function bodyAs<T extends z.ZodType>(
  schema: T,
  text: string,
): { ok: true; value: z.output<T> } | { ok: false; unreadable: Unreadable } {
  let body: unknown;
  try {
    // Some servers begin UTF-8 with a byte order mark, which JSON.parse refuses.
    body = JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch {
    return { ok: false, unreadable: { kind: 'unreadable', why: 'not JSON' } };
  }
  const result = schema.safeParse(body);
  if (result.success) return { ok: true, value: result.data };
  const first = result.error.issues[0];
  const where = first === undefined || first.path.length === 0 ? 'the answer' : first.path.join('.');
  return { ok: false, unreadable: { kind: 'unreadable', why: `${where}: ${first?.message ?? 'not as the protocol says'}` } };
}

/** Only web addresses are shown to a buyer: a `javascript:` link on the instance page would run there in the buyer's name. */
export function webAddress(text: string): string | undefined {
  const scheme = URL.parse(text.trim())?.protocol;
  return scheme === 'https:' || scheme === 'http:' ? text.trim() : undefined;
}
