/** UnionPay's clearing files in the words of the reconciliation: one file of each merchant and day. */
import { createHash } from 'node:crypto';
import type { Clock } from '@yunshi/kernel/clock';
import { readClearingFile, type ClearedRow } from '@yunshi/protocols/unionpay/clearing-file';
import { wireTime } from '@yunshi/protocols/unionpay/time';
import { Answer, codes, envelope, FileAnswer, kinds } from '@yunshi/protocols/unionpay/trade';
import { nextDay, span } from '../reconciliation/schedule.ts';
import type { Line, Statement, StatementSource } from '../reconciliation/statement.ts';
import { refundNoOf } from './channel.ts';
import type { UnionpayClient } from './client.ts';

type Deps = {
  readonly client: UnionpayClient;
  readonly fileUrl: string;
  /** The merchants that we collect for. */
  readonly merchants: () => readonly string[];
  readonly clock: Clock;
};

const FILE_BYTES_MAX = 24 * 1_024 * 1_024;
const HOUR_MS = 3_600_000;

export const unionpayStatements = (deps: Deps): StatementSource => ({
  channel: 'unionpay_b2b',
  fetch: async (day, signal) => {
    const files: Extract<File, { kind: 'file' }>[] = [];
    for (const merId of deps.merchants()) {
      const file = await fetchFile(merId, day, deps, signal);
      if (file.kind === 'not-yet' || file.kind === 'unusable') return file;
      if (file.kind === 'file') files.push(file);
    }
    if (files.length === 0) return { kind: 'empty' };
    const hash = createHash('sha256');
    for (const { content } of files) hash.update(content);
    return { kind: 'statement', hash: hash.digest('hex'), lines: files.flatMap(({ rows }) => rows.map(lineOf)) };
  },
  // A clearing day ends at eleven in the evening.
  spanOf: (day) => {
    const { from, until } = span(day);
    return { from: new Date(from.getTime() - HOUR_MS), until: new Date(until.getTime() - HOUR_MS) };
  },
  // As with WeChat Pay, what a file charges is a difference.
  feeOf: () => 0,
});

type File =
  | Extract<Statement, { kind: 'empty' | 'not-yet' | 'unusable' }>
  | { readonly kind: 'file'; readonly content: string; readonly rows: readonly ClearedRow[] };

async function fetchFile(merId: string, day: string, { client, fileUrl, clock }: Deps, signal?: AbortSignal): Promise<File> {
  const settleDate = day.slice(5).replace('-', '');
  const named = { merId, txnTime: wireTime(clock.now()), settleDate, fileType: '00' };
  const answer = await client.ask({
    url: fileUrl,
    fields: { ...envelope, ...kinds.file, ...named },
    answerBytesMax: FILE_BYTES_MAX,
    signal,
  });
  if (answer.kind === 'unknown') return { kind: 'unusable', why: answer.why };
  const said = Answer.safeParse(answer.fields);
  if (!said.success) return { kind: 'unusable', why: 'an answer of another shape' };
  // There is no file of a day without transactions, and none before it is made: by noon all are.
  if (said.data.respCode === codes.noSuchFile)
    return { kind: clock.now() < new Date(`${nextDay(day)}T12:00:00+08:00`) ? 'not-yet' : 'empty' };
  if (said.data.respCode !== codes.done) return { kind: 'unusable', why: `${said.data.respCode} ${said.data.respMsg}` };
  const file = FileAnswer.safeParse(answer.fields);
  if (!file.success || file.data.merId !== merId || file.data.settleDate !== settleDate)
    return { kind: 'unusable', why: `a file of another merchant or day than ${merId} ${day}` };
  const rows = readClearingFile(file.data.fileContent);
  return rows.ok ? { kind: 'file', content: file.data.fileContent, rows: rows.value } : { kind: 'unusable', why: rows.error };
}

/** Only what has succeeded stands in the file. */
const lineOf = ({ kind, orderId, queryId, merId, amount, fee }: ClearedRow): Line => ({
  kind,
  number: kind === 'payment' ? orderId : refundNoOf(orderId),
  channelNo: queryId,
  payee: merId,
  amount,
  fee,
  state: kind === 'payment' ? 'paid' : 'succeeded',
});
