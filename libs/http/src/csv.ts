import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

/** For a route's `schema.response`: `200: csvFile`. */
export const csvFile = {
  description: 'A CSV file (RFC 4180, UTF-8 with byte order mark)',
  content: { 'text/csv': { schema: z.string() } },
};

export type CsvColumn<R> = { readonly title: string; readonly of: (row: R) => string | number | null };

/** All pages of a list, one after the other; `next` answers the rows after this one, and none after the last. */
export async function* allPages<R>(next: (last: R | undefined) => Promise<readonly R[]>): AsyncGenerator<R> {
  for (let rows = await next(undefined); rows.length > 0; rows = await next(rows.at(-1))) yield* rows;
}

/**
 * Sends rows as a file, as fast as the client reads and no faster. The byte order mark lets spreadsheets read Chinese; a text that a
 * spreadsheet would run as a formula is quoted.
 */
export function sendCsv<R>(reply: FastifyReply, name: string, columns: readonly CsvColumn<R>[], rows: AsyncIterable<R>): FastifyReply {
  const lines = stringify({
    bom: true,
    header: true,
    columns: columns.map(({ title }) => title),
    record_delimiter: 'windows',
    escape_formulas: true,
  });
  const cells = async function* () {
    for await (const row of rows) yield columns.map(({ of }) => of(row) ?? '');
  };
  const records = Readable.from(cells());
  records.on('error', (error) => lines.destroy(error));
  lines.on('close', () => records.destroy());
  return reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="${name}"`).send(records.pipe(lines));
}
