import { relative } from 'node:path';
import type { System } from './system.ts';

type Persona = { name: string; title: string; display_name: string };

/** What a person needs to begin: addresses, logins, where the logs are. */
export async function table(system: System, dir: string): Promise<string> {
  const gateway = system.urls['gateway'] ?? '';
  const rows: [string, string, string][] = [
    ['API', `${gateway}/v1`, 'products, quotes, orders, …'],
    ['API explorer', `${gateway}/docs`, `OpenAPI 3.1: ${gateway}/openapi.json`],
    ['Payer', `${system.urls['sandbox']}/`, 'plays WeChat Pay and the providers'],
    ...Object.entries(system.urls)
      .filter(([name]) => name !== 'gateway')
      .map(([name, url]): [string, string, string] => [name, url, '']),
    ['PostgreSQL', withoutPassword(system.adminUrl), 'password in secrets.json'],
    ['nats-server', system.natsUrl, ''],
  ];
  const people = (await personas(gateway)).map((one): [string, string, string] => [one.name, one.display_name, one.title]);
  return [
    ...lines(rows),
    '',
    ...(people.length > 0
      ? [
          'Who you can be:',
          ...lines(people),
          `  curl -s ${gateway}/v1/dev/token -H 'content-type: application/json' -d '{"persona":"${people[0]?.[0]}"}'`,
        ]
      : []),
    '',
    `Logs: ${relative(process.cwd(), dir)}/log · the whole story in curl: npm run demo · Ctrl-C stops all`,
  ].join('\n');
}

async function personas(gateway: string): Promise<Persona[]> {
  try {
    const response = await fetch(`${gateway}/v1/dev/personas`, { signal: AbortSignal.timeout(5_000) });
    const { items } = (await response.json()) as { items?: Persona[] };
    return response.ok && items ? items : [];
  } catch {
    return [];
  }
}

function lines(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => width(row[column] ?? ''))));
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell)))).join('  ')}`.trimEnd(),
  );
}

const WIDE = /[\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uff60]/gu;

/** Columns in a terminal: a Chinese character takes two. */
function width(text: string): number {
  return text.length + (text.match(WIDE)?.length ?? 0);
}

function withoutPassword(url: string): string {
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}
