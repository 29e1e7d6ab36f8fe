import type { Routes } from '@yunshi/http/server';
import { z } from 'zod';
import type { LedgerBook } from './balances.ts';

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

export const ledgerRoutes = ({ ledger }: { readonly ledger: LedgerBook }): Routes =>
  async function routes(app) {
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
