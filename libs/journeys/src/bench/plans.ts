import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import type { Sql } from '@yunshi/db/connect';

/** What a statement did as it was carried out: the tables and indexes that it read, and how many rows it looked at. */
export type Plan = {
  readonly reads: readonly string[];
  readonly rowsRead: number;
  readonly wholeTables: readonly string[];
  readonly text: string;
};

type Node = {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows'?: number;
  readonly 'Actual Loops'?: number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Node[];
};
const Explained = z.object({ 'Query Text': z.string(), Plan: z.custom<Node>((node) => typeof node === 'object' && node !== null) });

/**
 * Has PostgreSQL write down the plan of every statement that it carries out while `run` goes on, and reads them from its log. Told are those
 * that read one of the `tables`: what the services do by themselves in that time is nobody's list.
 */
export async function plansOf(
  sql: Sql,
  { log, tables, run }: { readonly log: string; readonly tables: readonly string[]; readonly run: () => Promise<unknown> },
): Promise<Plan[]> {
  await explain(sql, '0');
  const from = sizeOf(log);
  try {
    await run();
  } finally {
    await explain(sql, '-1');
  }
  return explainedIn(textOf(log, from)).flatMap(({ 'Query Text': text, Plan: root }) => {
    const nodes = [root, ...below(root)];
    return nodes.some((node) => tables.includes(node['Relation Name'] ?? '')) ? [{ ...looked(nodes), text }] : [];
  });
}

async function explain(sql: Sql, msMin: string): Promise<void> {
  for (const [name, value] of Object.entries({ log_min_duration: msMin, log_analyze: 'on', log_timing: 'off', log_format: 'json' }))
    await sql.unsafe(`alter system set auto_explain.${name} = '${value}'`);
  await sql`select pg_reload_conf()`;
}

function looked(nodes: readonly Node[]): Omit<Plan, 'text'> {
  const scans = nodes.filter((node) => node['Node Type'].endsWith('Scan') && node['Node Type'] !== 'Bitmap Heap Scan');
  const rows = (node: Node) => ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 1);
  return {
    reads: scans.flatMap((node) => node['Index Name'] ?? node['Relation Name'] ?? []),
    rowsRead: Math.max(0, ...nodes.map(rows)),
    wholeTables: nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']!),
  };
}

const below = (node: Node): Node[] => (node.Plans ?? []).flatMap((one) => [one, ...below(one)]);

/** A plan follows its line of the log, indented by a tab. */
function explainedIn(log: string): z.infer<typeof Explained>[] {
  return [...log.matchAll(/duration: [\d.]+ ms {2}plan:\n((?:\t.*\n)+)/g)].map(([, text]) =>
    Explained.parse(JSON.parse(text!.replaceAll(/^\t/gm, ''))),
  );
}

const withFile = <T>(path: string, read: (file: number) => T): T => {
  const file = openSync(path, 'r');
  try {
    return read(file);
  } finally {
    closeSync(file);
  }
};
const sizeOf = (path: string): number => withFile(path, (file) => fstatSync(file).size);
const textOf = (path: string, from: number): string =>
  withFile(path, (file) => {
    const bytes = Buffer.alloc(fstatSync(file).size - from);
    readSync(file, bytes, 0, bytes.length, from);
    return bytes.toString('utf8');
  });
