import { problems } from './discover.ts';
import { banner, code, page, table } from './markdown.ts';

/** Every problem that a caller of the API can meet. */
export async function problemsPage(): Promise<string> {
  const sections = (await problems()).flatMap(({ service, entries }) => [
    `## ${service}`,
    table(
      ['code', 'status', 'what is wrong', 'what to do'],
      Object.entries(entries)
        .toSorted(([one, { status }], [other, { status: otherStatus }]) => status - otherStatus || (one < other ? -1 : 1))
        .map(([name, { status, title, remedy }]) => [code(name), String(status), title, remedy]),
    ),
  ]);
  return page(
    banner('the problem tables'),
    '# Problems',
    'Errors are `application/problem+json` (RFC 9457). Programs decide by `code`, which is never renamed; `trace_id` finds the request in traces and logs.',
    ...sections,
  );
}
