import { createHash } from 'node:crypto';
import { callerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { chinaDay } from '@yunshi/kernel/calendar';
import { AccountId, OrderId } from '@yunshi/kernel/ids';
import { z } from 'zod';
import { Problem } from '../problems.ts';
import type { LedgerBook } from './balances.ts';
import type { PostingRow } from './entries.ts';
import type { Lines } from './lines.ts';

const Time = z.iso.datetime({ offset: true });
const Balance = z.object({
  account: z.string().meta({ description: 'A class of accounts, such as `buyer_funds`' }),
  debit: z.int(),
  credit: z.int(),
  balance: z.int(),
});
const ShownLedger = z
  .object({
    balanced: z.boolean(),
    sum: z.int().meta({ description: 'Of everything; 0 unless something is very wrong' }),
    closed_through: Time.meta({ description: 'Nothing is posted before this time any more' }),
    accounts: z.array(Balance),
    unbalanced_entries: z.array(z.string()),
    wrong_balances: z.array(z.string()).meta({ description: 'Accounts whose stored balance is not the sum of their postings' }),
  })
  .meta({ id: 'LedgerCheck' });
const CheckQuery = z.strictObject({
  audit: z
    .stringbool({ truthy: ['true'], falsy: ['false'] })
    .optional()
    .meta({ description: 'Read every posting again, instead of the balances of the last closing and what was posted since' }),
});

/** The kinds of entries that move a buyer's own money. */
const LineKind = z
  .enum([
    'receipt',
    'refund',
    'revocation',
    'repayment',
    'offline-refund',
    'orphan-receipt',
    'orphan-refund',
    'wallet-opening',
    'wallet-withdrawal',
    'wallet-returned',
  ])
  .meta({
    description:
      'receipt 付款 · refund 退款 · revocation 退票 · repayment 退票补款 · offline-refund 线下退款 · orphan-receipt 待退款项 (late, double or of a wrong amount) · orphan-refund 待退款项退回 · wallet-opening 余额转入 · wallet-withdrawal 提现 · wallet-returned 提现退回',
  });
const ShownLine = z
  .object({
    line_id: z.string(),
    reference: z.string().meta({ description: '流水号: the day in China and twelve digits', example: '20260301048839201734' }),
    kind: z.string(),
    order_id: OrderId.nullable(),
    channel: z.string().meta({ description: 'The channel that the money went through, or the source of a balance' }),
    amount: z.int().meta({ description: 'In fen: negative is paid, positive is got back' }),
    at: Time,
  })
  .meta({ id: 'LedgerLine' });
const LinesQuery = z.strictObject({
  ...listQuery,
  kind: LineKind.optional(),
  order_id: OrderId.optional(),
  from: Time.optional().meta({ description: 'At this time or later' }),
  until: Time.optional().meta({ description: 'Before this time' }),
  sort: z.enum(['newest', 'oldest']).default('newest'),
  account_id: AccountId.optional().meta({ description: 'Operators only: the lines of one buyer' }),
});
const byTime = keyset(z.tuple([z.enum(['newest', 'oldest']), Time, z.string()]));

type Deps = { readonly ledger: LedgerBook; readonly lines: Lines };

export const ledgerRoutes = (deps: Deps): Routes =>
  async function routes(app) {
    await app.register(lineRoutes(deps));
    await app.register(checkRoute(deps));
  };

const lineRoutes = ({ lines }: Deps): Routes =>
  async function entries(app) {
    app.get(
      '/v1/ledger/entries',
      {
        config: { access: ['buyer', 'operator'], problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags: ['ledger'],
          summary: '收支明细: what was paid and got back',
          querystring: LinesQuery,
          response: { 200: pageOf(ShownLine) },
        },
      },
      async (request) => {
        const { limit, cursor, kind, order_id: orderId, from, until, sort, account_id: asked } = request.query;
        const { accountId: own, roles } = callerOf(request);
        const all = roles.includes('operator');
        const accountId = all ? (asked ?? (orderId && (await lines.accountOf(orderId)))) : own;
        const last = byTime.after(cursor);
        if (last && last[0] !== sort) throw new Problem('cursor-not-valid');
        const after = last && { at: new Date(last[1]), postingId: last[2] };
        const times = { from: from === undefined ? undefined : new Date(from), until: until === undefined ? undefined : new Date(until) };
        const rows = await lines.find({ accountId, kind, orderId, ...times, sort, after, limit: limit + 1 });
        return byTime.page(rows, limit, (row) => [sort, row.at.toISOString(), row.postingId], shownLine);
      },
    );
  };

const shownLine = (row: PostingRow): z.infer<typeof ShownLine> => ({
  line_id: row.postingId,
  reference: referenceOf(row),
  kind: row.kind,
  order_id: row.orderId,
  channel: row.account.slice(Math.max(row.account.indexOf(':'), row.account.indexOf('/')) + 1),
  // What the channel holds more, the buyer has less; and what we owe the buyer is a credit.
  amount: 0 - row.amount,
  at: row.at.toISOString(),
});

/** The same line always has the same: it follows from the line. */
function referenceOf({ postingId, at }: PostingRow): string {
  const digest = createHash('sha256').update(postingId).digest().readUIntBE(0, 6);
  return `${chinaDay(at)}${String(digest % 1_000_000_000_000).padStart(12, '0')}`;
}

const checkRoute = ({ ledger }: Deps): Routes =>
  async function check(app) {
    app.get(
      '/v1/ops/ledger',
      {
        config: { access: ['operator'] },
        schema: { summary: 'Check the ledger', querystring: CheckQuery, response: { 200: ShownLedger } },
      },
      async (request) => {
        const [{ sum, balances, through }, audit] = await Promise.all([ledger.check(), request.query.audit ? ledger.audit() : undefined]);
        const { unbalancedEntries = [], wrongBalances = [] } = audit ?? {};
        return {
          balanced: sum === 0 && (audit?.sum ?? 0) === 0 && unbalancedEntries.length + wrongBalances.length === 0,
          sum,
          closed_through: through.toISOString(),
          accounts: [...balances],
          unbalanced_entries: [...unbalancedEntries],
          wrong_balances: [...wrongBalances],
        };
      },
    );
  };
