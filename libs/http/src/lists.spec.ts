import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { keyset, listQuery } from './lists.ts';

const byAge = keyset(z.tuple([z.int(), z.string()]));
type Row = { age: number; id: string };

/** What a service's SQL does: rows after the key, in order, one more than asked. */
const list = (rows: readonly Row[], after: readonly [number, string] | undefined, take: number): Row[] =>
  rows
    .toSorted((a, b) => a.age - b.age || (a.id < b.id ? -1 : 1))
    .filter((row) => !after || row.age > after[0] || (row.age === after[0] && row.id > after[1]))
    .slice(0, take);

test('turning pages shows every row once, whatever the page size', () => {
  const row = fc.record({ age: fc.integer({ min: 0, max: 3 }), id: fc.string({ minLength: 1 }) });
  fc.assert(
    fc.property(fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (rows, limit) => {
      const seen: Row[] = [];
      let cursor: string | null | undefined;
      do {
        const page = byAge.page(
          list(rows, byAge.after(cursor ?? undefined), limit + 1),
          limit,
          (one) => [one.age, one.id] as const,
          (one) => one,
        );
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor !== null);
      expect(seen).toEqual(list(rows, undefined, Infinity));
    }),
  );
});

test('a cursor that was made up, cut or belongs to another list is refused', () => {
  const other = keyset(z.tuple([z.string()])).page(
    [{ id: 'a' }, { id: 'b' }],
    1,
    (one) => [one.id] as [string],
    (one) => one,
  ).next_cursor!;
  for (const cursor of ['', 'abc', other, Buffer.from('[1,"a",2]').toString('base64url'), Buffer.from('{}').toString('base64url')]) {
    expect(() => byAge.after(cursor)).toThrow('cursor is not valid');
  }
});

test('the limit is 20 unless asked, and 100 at most', () => {
  const query = z.strictObject(listQuery);
  expect(query.parse({})).toEqual({ limit: 20 });
  expect(query.parse({ limit: '100' })).toEqual({ limit: 100 });
  for (const limit of ['0', '101', '1.5', 'all']) expect(query.safeParse({ limit }).success).toBe(false);
});
