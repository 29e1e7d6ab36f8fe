import { fastify } from 'fastify';
import { expect, test } from 'vitest';
import { allPages, sendCsv } from './csv.ts';

const columns = [
  { title: '名称', of: (row: { name: string; count: number | null }) => row.name },
  { title: '数量', of: (row: { count: number | null }) => row.count },
];

async function fileOf(rows: AsyncIterable<{ name: string; count: number | null }>): Promise<{ text: string; headers: object }> {
  const app = fastify();
  app.get('/', (_, reply) => sendCsv(reply, 'things.csv', columns, rows));
  const { body, headers } = await app.inject('/');
  await app.close();
  return { text: body, headers };
}

test('a file is what a spreadsheet reads: a mark, a header, quoted cells, and no formulas', async () => {
  const rows = async function* () {
    yield { name: '云服务器', count: 1 };
    yield { name: 'a, "b"', count: null };
    yield { name: '=1+1', count: 0 };
  };
  const { text, headers } = await fileOf(rows());
  expect(text).toBe('\uFEFF名称,数量\r\n云服务器,1\r\n"a, ""b""",\r\n\'=1+1,0\r\n');
  expect(headers).toMatchObject({ 'content-type': 'text/csv; charset=utf-8', 'content-disposition': 'attachment; filename="things.csv"' });
});

test('pages follow each other until one is empty', async () => {
  const numbers = Array.from({ length: 7 }, (_, nth) => nth);
  const next = (last: number | undefined) => Promise.resolve(numbers.slice((last ?? -1) + 1, (last ?? -1) + 4));
  const found: number[] = [];
  for await (const number of allPages(next)) found.push(number);
  expect(found).toEqual(numbers);
});

test('a list that breaks in the middle ends the transfer, so that nobody takes half a file for the whole', async () => {
  const rows = async function* () {
    yield { name: 'a', count: 1 };
    throw new Error('the database has gone');
  };
  const app = fastify();
  app.get('/', (_, reply) => sendCsv(reply, 'things.csv', columns, rows()));
  const url = await app.listen({ port: 0 });
  const read = fetch(url).then((response) => response.text());
  await expect(read).rejects.toThrow('terminated');
  await app.close();
});
