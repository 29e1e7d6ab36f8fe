/** The only SQL that writes the ledger. */
import type { Rows } from '@yunshi/db/rows';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import * as tables from '../tables.ts';
import type { Entry } from './ledger.ts';

export type PostingRow = typeof tables.postings.$inferSelect;

/** Posting an entry again changes nothing. */
export const postingRows = rowsOf(tables.postings, 'postingId', { onConflict: 'keep' });

export const rowsOfEntry = ({ id, kind, orderId, accountId, providerId, at, postings }: Entry): PostingRow[] =>
  postings.map(({ account, amount }, line) => ({
    postingId: `${id}/${line + 1}`,
    entryId: id,
    kind,
    account,
    amount,
    orderId,
    accountId,
    providerId,
    at,
  }));

export type Closing = typeof tables.closing.$inferSelect;

/**
 * The one row that says through when the ledger is closed; saving it adds up what was posted since, and issues
 * the statements of months that are over. The functions are in the migrations.
 */
export const closings: Rows<string, Closing> = {
  name: 'ledger_closing',
  pipelined: true,
  keyOf: ({ ledger }) => ledger,
  lock: (tx, keys) =>
    tx<
      Closing[]
    >`select ${tx.unsafe(selectListOf(tables.closing))} from ledger_closing where ledger = any(${[...keys]}::text[]) for update`.execute(),
  save: (tx, [closing]) =>
    tx`select close_ledger(${closing!.through}::timestamptz), issue_statements(${closing!.issuedThrough}::timestamptz)`.execute(),
};
