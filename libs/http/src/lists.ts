import { z } from 'zod';
import { Problem } from './problem.ts';

export const limitDefault = 20;
export const limitMax = 100;
/** A cursor is longer only when somebody made it up. */
const cursorCharsMax = 1_024;

/** Spread into a list's query: `z.strictObject({ ...listQuery, status: … })`. */
export const listQuery = {
  limit: z.coerce.number().int().min(1).max(limitMax).default(limitDefault).meta({ description: 'Items per page' }),
  cursor: z.string().max(cursorCharsMax).optional().meta({ description: '`next_cursor` of the previous page' }),
};

export type Page<T> = { items: T[]; next_cursor: string | null };

/** The schema of a page: an answer's `{ items, next_cursor }`. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable().meta({ description: 'null on the last page' }) });

/**
 * A list that continues after the last row seen, so that new rows neither repeat nor skip any. The key holds what the list is
 * sorted by, ending with something unique; put the name of the sort in front when there are several.
 *
 *     const byNewest = keyset(z.tuple([z.iso.datetime(), OrderId]));
 *     const after = byNewest.after(query.cursor);                     // undefined on the first page
 *     const rows = await orders.list({ after, take: query.limit + 1 });  // one more than asked: is there another page?
 *     return byNewest.page(rows, query.limit, (row) => [row.createdAt.toISOString(), row.orderId], shown);
 *
 * A cursor is opaque but not secret and not signed: it says where to go on, never what may be seen.
 */
export function keyset<K extends readonly unknown[]>(key: z.ZodType<K>) {
  return {
    after(cursor: string | undefined): K | undefined {
      if (cursor === undefined) return undefined;
      try {
        return key.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
      } catch (cause) {
        throw new Problem('cursor-not-valid', {
          errors: [{ in: 'query', field: '/cursor', detail: 'Not a cursor of this list.', remedy: 'Leave it out to start over.' }],
          cause,
        });
      }
    },
    /** `rows` are up to `limit + 1`: the one too many only shows that there is another page. */
    page<R, T>(rows: readonly R[], limit: number, keyOf: (row: R) => K, show: (row: R) => T): Page<T> {
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return {
        items: shown.map(show),
        next_cursor: last === undefined ? null : Buffer.from(JSON.stringify(keyOf(last))).toString('base64url'),
      };
    },
  };
}
