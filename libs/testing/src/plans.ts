import type { Sql } from '@yunshi/db/connect';

/** The client, but for one thing: a select is explained instead of run, so that a test can see how a repository's statement would be. */
export const explaining = (sql: Sql): Sql =>
  Object.assign(
    (strings: TemplateStringsArray, ...values: never[]) => {
      if (!/^\s*select/.test(strings[0] ?? '')) return sql(strings, ...values);
      const explained = [`explain (format json) ${strings[0]}`, ...strings.slice(1)];
      return sql(Object.assign(explained, { raw: explained }), ...values);
    },
    { unsafe: sql.unsafe },
  ) as unknown as Sql;

/** The plan of what a repository was asked on an explaining client, as text to look into. */
export const planOf = async (answer: Promise<unknown>): Promise<string> => JSON.stringify(await answer);
