import type { Sql } from '@yunshi/db/connect';
import { selectListOf } from '@yunshi/db/select-list';
import { sagaLog, sagas } from '@yunshi/messaging/tables';

export type SagaRow = typeof sagas.$inferSelect;
export type SagaLogRow = typeof sagaLog.$inferSelect;
export type SagaPhase = SagaRow['phase'];

export type SagaSearch = {
  readonly name?: string | undefined;
  readonly phase?: SagaPhase | undefined;
  readonly step?: string | undefined;
  readonly key?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
};

const selected = selectListOf(sagas);

/** One page of this service's sagas, newest first (their ids sort by the time they began). */
export async function findSagas(sql: Sql, { name, phase, step, key, after, limit }: SagaSearch): Promise<SagaRow[]> {
  return sql<SagaRow[]>`
    select ${sql.unsafe(selected)} from sagas
    where true ${phase ? sql`and phase = ${phase}` : sql``} ${step ? sql`and step = ${step}` : sql``} ${key ? sql`and key = ${key}` : sql``}
      ${name ? sql`and name = ${name}` : sql``} ${after ? sql`and id < ${after}` : sql``}
    order by id desc limit ${limit}`;
}

/** A saga with its log, oldest entry first. */
export async function findSaga(sql: Sql, id: string): Promise<{ saga: SagaRow; log: SagaLogRow[] } | undefined> {
  const [[saga], log] = await Promise.all([
    sql<SagaRow[]>`select ${sql.unsafe(selected)} from sagas where id = ${id}`,
    // The entries' ids follow from their numbers: a search by beginning would not use the index under every collation.
    sql<SagaLogRow[]>`
      select ${sql.unsafe(selectListOf(sagaLog))} from saga_log
      where id = any(array(select ${`${id}:`} || lpad(n::text, 5, '0') from generate_series(1, (select seq from sagas where id = ${id})) n)) order by id`,
  ]);
  return saga && { saga, log };
}
