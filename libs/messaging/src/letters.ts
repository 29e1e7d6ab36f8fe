import type { Sql } from '@yunshi/db/connect';
import { selectListOf } from '@yunshi/db/select-list';
import type { Act } from './audit.ts';
import { deadLetters } from './tables.ts';

// What operators do with dead letters. Each act changes letters and writes its audit rows in one statement.

export type LetterRow = typeof deadLetters.$inferSelect;
export type LetterState = LetterRow['state'];
export type LetterSource = LetterRow['source'];

/** Letters with one cause. */
export type LetterGroup = { readonly name: string; readonly errorClass: string };

export type GroupRow = LetterGroup & {
  readonly source: LetterSource;
  readonly letters: number;
  /** How often letters of the group have been retried, all together. */
  readonly retries: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
};

export type LetterSearch = {
  readonly state?: LetterState | undefined;
  readonly source?: LetterSource | undefined;
  readonly name?: string | undefined;
  readonly errorClass?: string | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
};

/** As one statement reads well and no act takes longer than a request may. */
export const actMax = 1_000;
export const groupsMax = 200;

/**
 * Longer than a stream remembers message ids: sooner, it would take the retried message for the same one again and drop it.
 * The outbox row is made to fall due then.
 */
const duplicateWindowS = 35;
/**
 * An event goes to all who listen, and those who have taken it before know it by their inbox, which keeps ids for thirty days; it may
 * have lain in the stream for seven of them before it was buried here.
 */
export const eventRetryDays = 20;

const selected = selectListOf(deadLetters);

/** Open letters have an index of their own, which a plan takes only where the word stands in the statement. */
const inState = (sql: Sql, state: LetterState) => (state === 'open' ? sql`and state = 'open'` : sql`and state = ${state}`);

/** Letters, newest first. */
export const findLetters = (sql: Sql, { state, source, name, errorClass, before, limit }: LetterSearch): PromiseLike<LetterRow[]> =>
  sql<LetterRow[]>`
    select ${sql.unsafe(selected)} from dead_letters
    where true ${state === undefined ? sql`` : inState(sql, state)} ${source ? sql`and source = ${source}` : sql``}
      ${name === undefined ? sql`` : sql`and name = ${name}`} ${errorClass === undefined ? sql`` : sql`and error_class = ${errorClass}`}
      ${before === undefined ? sql`` : sql`and seq < ${before}`}
    order by seq desc limit ${limit}`;

export const findLetter = async (sql: Sql, seq: number): Promise<LetterRow | undefined> =>
  (await sql<LetterRow[]>`select ${sql.unsafe(selected)} from dead_letters where seq = ${seq}`)[0];

/** Open letters by what failed and how, the largest group first. */
export const findGroups = (sql: Sql): PromiseLike<GroupRow[]> => sql<GroupRow[]>`
  select source, name, error_class as "errorClass", count(*) as letters, sum(retries) as retries, min(first_at) as "firstAt", max(at) as "lastAt"
  from dead_letters where state = 'open' group by source, name, error_class order by count(*) desc, max(at) desc limit ${groupsMax}`;

/** One letter, or a group. */
export type Which = { readonly seq: number } | LetterGroup;

const isOne = (which: Which): which is { readonly seq: number } => 'seq' in which;

const picked = (sql: Sql, which: Which) =>
  isOne(which) ? sql`seq = ${which.seq}` : sql`name = ${which.name} and error_class = ${which.errorClass}`;

/** Open letters that are picked, locked, so that two operators do not act on one. */
const open = (sql: Sql, which: Which) =>
  sql`select seq from dead_letters where state = 'open' and ${picked(sql, which)} order by seq limit ${actMax} for update`;

const noted = (sql: Sql, action: string, { actor, reason }: Act) =>
  sql`insert into audit (actor, action, object, reason) select ${actor}, ${action}, 'dead-letter:' || seq, ${reason ?? null} from acted order by seq`;

const canBeRetried = (sql: Sql) =>
  sql`(subject is null or subject not like 'evt.%' or first_at > now() - ${eventRetryDays} * interval '1 day')`;
const uuid = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

/**
 * Has letters handled again: a message goes to its stream once more, with its id and body as they were, by way of the outbox; a deadline
 * falls due; a call is open again. Nothing counts twice: whoever has handled it before knows it by its id.
 */
export async function retryLetters(sql: Sql, which: Which, act: Act, now: Date): Promise<readonly number[]> {
  const rows = await sql<{ seq: number }[]>`
    with acted as (
      update dead_letters set state = 'retried', retries = retries + 1
      where seq in (${open(sql, which)}) and ${canBeRetried(sql)} returning *),
    published as (
      insert into outbox (id, subject, body, traceparent, created_at)
      select case when message_id ~ ${uuid} then message_id::uuid else gen_random_uuid() end, subject, body, headers ->> 'traceparent',
        greatest(now(), at + ${duplicateWindowS} * interval '1 second')
      from acted where source = 'message' on conflict (id) do nothing),
    due as (
      insert into deadlines (id, kind, key, due_at, attempts, traceparent)
      select message_id, name, body::jsonb ->> 'key', ${now}, 0, body::jsonb ->> 'traceparent'
      from acted where source = 'deadline' on conflict (id) do nothing),
    opened as (
      update calls set open = true, attempts = 0, not_before = ${now}, leased_until = 'epoch'
      from acted where calls.id = case when acted.source = 'call' then acted.message_id::uuid end),
    noted as (${noted(sql, 'dead-letter.retry', act)})
    select seq from acted`;
  return rows.map(({ seq }) => seq);
}

/** Lays letters aside for good: they stay readable, and nothing more is done about them. */
export async function discardLetters(sql: Sql, which: Which, act: Act): Promise<readonly number[]> {
  const rows = await sql<{ seq: number }[]>`
    with acted as (update dead_letters set state = 'discarded' where seq in (${open(sql, which)}) returning seq),
    noted as (${noted(sql, 'dead-letter.discard', act)})
    select seq from acted`;
  return rows.map(({ seq }) => seq);
}

/** How many letters of a group are still open. */
export const countOpen = async (sql: Sql, which: LetterGroup): Promise<number> =>
  (await sql<{ n: number }[]>`select count(*) as n from dead_letters where state = 'open' and ${picked(sql, which)}`)[0]!.n;
