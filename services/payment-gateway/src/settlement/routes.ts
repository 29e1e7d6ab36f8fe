import type { FastifyRequest } from 'fastify';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { allPages, csvFile, sendCsv } from '@yunshi/http/csv';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { addMonths, chinaTime } from '@yunshi/kernel/calendar';
import { OrderId, ProviderId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import { z } from 'zod';
import type { LedgerBook } from '../ledger/balances.ts';
import { Problem } from '../problems.ts';
import type { Statement, StatementLine, Statements } from './statements.ts';

/** What a provider has earned, and its monthly statements. */

const Time = z.iso.datetime({ offset: true });
const Month = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])$/)
  .meta({ description: 'A month in China', example: '2026-03' });
const FILE_ROWS = 500;

const ShownBalance = z
  .object({
    provider_id: ProviderId,
    pending: z.int().meta({ description: '待结算: earned, and not released yet' }),
    withdrawable: z.int().meta({ description: '可提现: released after the review period 复议期, less refunds since. Negative: owed' }),
    withdrawn: z.int().meta({ description: '已提现' }),
  })
  .meta({ id: 'ProviderBalance' });

const ShownStatement = z
  .object({
    month: Month,
    status: z.enum(['open', 'issued']).meta({ description: 'issued: final, once the month is over' }),
    sales: z.int(),
    sold: Fen.meta({ description: '销售额: what buyers paid for orders that were completed in the month' }),
    commission: z.int().meta({ description: '平台佣金, as a negative amount: 10 %' }),
    refunds: z.int(),
    refunded: z.int().meta({ description: '退款, as a negative amount' }),
    commission_back: Fen.meta({ description: '退回佣金: the part of the refunds that the marketplace bears' }),
    net: z.int().meta({ description: '结算金额 = sold + commission + refunded + commission_back' }),
    released: Fen.meta({ description: 'What became withdrawable in the month, of this one or earlier' }),
    withdrawn: z.int(),
  })
  .meta({ id: 'ProviderStatement' });

const ShownLine = z
  .object({
    line_id: z.string(),
    kind: z.enum(['sale', 'refund', 'revocation', 'repayment']),
    order_id: OrderId,
    at: Time,
    amount: z.int().meta({ description: 'What the buyer paid; negative for what went back' }),
    commission: z.int().meta({ description: 'Negative for a sale, positive for a refund' }),
    net: z.int().meta({ description: 'amount + commission' }),
  })
  .meta({ id: 'ProviderStatementLine' });

const whose = { provider_id: ProviderId.optional().meta({ description: 'Operators only, who must name one' }) };
const byMonth = keyset(z.tuple([Month]));
const byTime = keyset(z.tuple([Time, z.string()]));
const access = ['provider', 'operator'] as const;
const tags = ['settlements'];

/** Providers read their own; whose they ask for makes no difference. */
function providerFor(request: FastifyRequest, asked: ProviderId | undefined): ProviderId {
  if (!callerOf(request).roles.includes('operator')) return providerOf(request);
  if (asked === undefined) throw new Problem('provider-not-named');
  return asked;
}

function monthOf(month: string): { readonly from: Date; readonly until: Date } {
  const from = new Date(`${month}-01T00:00:00+08:00`);
  return { from, until: addMonths(from, 1) };
}

type Deps = { readonly ledger: LedgerBook; readonly statements: Statements };

export const settlementRoutes = (deps: Deps): Routes =>
  async function routes(app) {
    await app.register(summaries(deps));
    await app.register(lines(deps));
  };

const summaries = ({ ledger, statements }: Deps): Routes =>
  async function summaryRoutes(app) {
    app.get(
      '/v1/provider/balance',
      {
        config: { access, problems: Problem.codes('provider-not-named') },
        schema: { tags, summary: 'What a provider has earned', querystring: z.strictObject(whose), response: { 200: ShownBalance } },
      },
      async (request) => {
        const providerId = providerFor(request, request.query.provider_id);
        const [payable, balance] = [`provider_payable:${providerId}`, `provider_balance:${providerId}`] as const;
        const [held, withdrawn] = await Promise.all([ledger.balancesOf([payable, balance]), statements.withdrawn(providerId)]);
        return { provider_id: providerId, pending: 0 - held.get(payable)!, withdrawable: 0 - held.get(balance)!, withdrawn };
      },
    );
    app.get(
      '/v1/provider/settlements',
      {
        config: { access, problems: Problem.codes('provider-not-named', 'cursor-not-valid') },
        schema: {
          tags,
          summary: 'Monthly statements 结算单, newest first',
          querystring: z.strictObject({ ...listQuery, ...whose }),
          response: { 200: pageOf(ShownStatement) },
        },
      },
      async (request) => {
        const { limit, cursor, provider_id: asked } = request.query;
        const found = await statements.list(providerFor(request, asked), byMonth.after(cursor)?.[0], limit + 1);
        return byMonth.page(found, limit, ({ month }) => [month], shownStatement);
      },
    );
    app.get(
      '/v1/provider/settlements/:month',
      {
        config: { access, problems: Problem.codes('provider-not-named', 'not-found') },
        schema: {
          tags,
          summary: 'The statement of a month',
          params: z.strictObject({ month: Month }),
          querystring: z.strictObject(whose),
          response: { 200: ShownStatement },
        },
      },
      async (request) => shownStatement(await statementOf(request, request.params.month, request.query.provider_id, statements)),
    );
  };

const lines = ({ statements }: Deps): Routes =>
  async function lineRoutes(app) {
    const config = { access, problems: Problem.codes('provider-not-named', 'not-found', 'cursor-not-valid') };
    const params = z.strictObject({ month: Month });
    app.get(
      '/v1/provider/settlements/:month/lines',
      {
        config,
        schema: {
          tags,
          summary: 'The lines of a statement, oldest first',
          params,
          querystring: z.strictObject({ ...listQuery, ...whose }),
          response: { 200: pageOf(ShownLine) },
        },
      },
      async (request) => {
        const { limit, cursor, provider_id: asked } = request.query;
        const { providerId, month } = await statementOf(request, request.params.month, asked, statements);
        const last = byTime.after(cursor);
        const after = last && { at: new Date(last[0]), entryId: last[1] };
        const found = await statements.lines(providerId, { ...monthOf(month), after, limit: limit + 1 });
        return byTime.page(found, limit, (line) => [line.at.toISOString(), line.entryId], shownLine);
      },
    );
    app.get(
      '/v1/provider/settlements/:month/export',
      {
        config,
        schema: {
          tags,
          summary: 'The lines of a statement as a file',
          params,
          querystring: z.strictObject(whose),
          response: { 200: csvFile },
        },
      },
      async (request, reply) => {
        const { providerId, month } = await statementOf(request, request.params.month, request.query.provider_id, statements);
        const rows = allPages<StatementLine>((after) => statements.lines(providerId, { ...monthOf(month), after, limit: FILE_ROWS }));
        return sendCsv(reply, `settlement-${month}.csv`, columns, rows);
      },
    );
  };

async function statementOf(
  request: FastifyRequest,
  month: string,
  asked: ProviderId | undefined,
  statements: Statements,
): Promise<Statement> {
  const found = await statements.of(providerFor(request, asked), month);
  if (!found) throw new Problem('not-found', { detail: `Nothing was sold or refunded in ${month}.` });
  return found;
}

const shownStatement = (of: Statement): z.infer<typeof ShownStatement> => ({
  month: of.month,
  status: of.issued ? 'issued' : 'open',
  sales: of.sales,
  sold: of.sold,
  commission: 0 - of.commission,
  refunds: of.refunds,
  refunded: 0 - of.refunded,
  commission_back: of.commissionBack,
  net: of.sold - of.commission - of.refunded + of.commissionBack,
  released: of.released,
  withdrawn: of.withdrawn,
});

const shownLine = (line: StatementLine): z.infer<typeof ShownLine> => {
  const [amount, commission] = [line.sold - line.refunded, line.commissionBack - line.commission];
  const { entryId, kind, orderId } = line;
  return { line_id: entryId, kind, order_id: orderId, at: line.at.toISOString(), amount, commission, net: amount + commission };
};

const names = { sale: '销售', refund: '退款', revocation: '退票', repayment: '退票补款' } as const;
const yuan = (fen: number): string => (fen / 100).toFixed(2);
const columns = [
  { title: '时间', of: ({ at }: StatementLine) => chinaTime(at) },
  { title: '类型', of: ({ kind }: StatementLine) => names[kind] },
  { title: '订单', of: ({ orderId }: StatementLine) => orderId },
  { title: '金额（元）', of: (line: StatementLine) => yuan(shownLine(line).amount) },
  { title: '佣金（元）', of: (line: StatementLine) => yuan(shownLine(line).commission) },
  { title: '结算金额（元）', of: (line: StatementLine) => yuan(shownLine(line).net) },
];
