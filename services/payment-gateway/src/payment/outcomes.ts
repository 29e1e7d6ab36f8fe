/** What every call of a channel may come to, beside what is its own. */
import { z } from 'zod';

/** Not carried out. `code` is the channel's. */
export const refused = z.object({ kind: z.literal('refused'), code: z.string(), message: z.string() });
/** Carried out or not: ask, or repeat it with the same number; never guess. */
export const unknown = z.object({ kind: z.literal('unknown'), why: z.string() });
export const plain = <const K extends string>(kind: K) => z.object({ kind: z.literal(kind) });
