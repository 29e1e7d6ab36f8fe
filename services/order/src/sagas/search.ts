import type { Sql } from '@yunshi/db/connect';
import { selectListOf } from '@yunshi/db/select-list';
import type { Act } from '@yunshi/messaging/audit';
import { sagaLog, sagas } from '@yunshi/messaging/tables';

export type SagaRow = typeof sagas.$inferSelect;
export type SagaLogRow = typeof sagaLog.$inferSelect;
export type SagaPhase = SagaRow['phase'];

export type SagaSearch = {
  readonly name?: string | undefined;
  readonly phase?: SagaPhase | undefined;
  readonly step?: string | undefined;
  readonly key?: string | undefined;
  /** Only those with something wrong. */
  readonly troubled?: boolean | undefined;
  /** Only those that should have asked again or given up before this time. */
  readonly dueBefore?: Date | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
};

const selected = selectListOf(sagas);

/** One page of this service's sagas, newest first (their ids sort by the time they began). */
export async function findSagas(sql: Sql, { name, phase, step, key, troubled, dueBefore, after, limit }: SagaSearch): Promise<SagaRow[]> {
  return sql<SagaRow[]>`
    select ${sql.unsafe(selected)} from sagas
    where true ${phase ? sql`and phase = ${phase}` : sql``} ${step ? sql`and step = ${step}` : sql``} ${key ? sql`and key = ${key}` : sql``}
      ${troubled ? sql`and trouble is not null` : sql``} ${dueBefore ? sql`and look_at < ${dueBefore} and wake_at < ${dueBefore}` : sql``}
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

/** Has a saga that waits ask again at once, in the operator's name. False when it waits for nothing. */
export async function askAgain(sql: Sql, id: string, { actor, reason }: Act, now: Date): Promise<boolean> {
  const asked = await sql`
    with asked as (update sagas set wake_at = ${now}, look_at = ${now} where id = ${id} and wake_at is not null returning id),
    noted as (
      insert into audit (actor, action, object, reason) select ${actor}, 'saga.ask-again', 'saga:' || id, ${reason ?? null} from asked)
    select id from asked`;
  return asked.length > 0;
}
