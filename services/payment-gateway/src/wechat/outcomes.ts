/** What every call of WeChat Pay may come to, beside what is its own. */
import { z } from 'zod';
import type { Exchange } from './client.ts';

/** Not carried out. `code` is WeChat Pay's. */
export const refused = z.object({ kind: z.literal('refused'), code: z.string(), message: z.string() });
/** Carried out or not: ask, or repeat it with the same number. */
export const unknown = z.object({ kind: z.literal('unknown'), why: z.string() });
export const plain = <const K extends string>(kind: K) => z.object({ kind: z.literal(kind) });

export const unreadable = { kind: 'unknown', why: 'an answer of another shape' } as const;
export const failure = (answer: Exclude<Exchange, { kind: 'done' }>) =>
  answer.kind === 'unknown' ? answer : { kind: 'refused' as const, code: answer.code, message: answer.message };
