import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { AccountId, newId, WithdrawalId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import type { Core } from '@yunshi/messaging/core';
import type { Vault } from '@yunshi/service/vault';
import { z } from 'zod';
import { Problem } from '../problems.ts';
import { numberOf } from './bank-accounts.ts';
import type { walletWrites } from './handlers.ts';
import type { Wallet, Withdrawal } from './wallet.ts';
import type { WalletBook } from './wallets.ts';
import {
  HandledWithdrawal,
  handledWithdrawal,
  isToBeTransferred,
  RevealedAccount,
  ShownWallet,
  shownWallet,
  ShownWithdrawal,
  shownWithdrawal,
  Source,
  Status,
} from './wire.ts';

const Params = z.strictObject({ withdrawal_id: WithdrawalId });
const byNewest = keyset(z.tuple([z.iso.datetime({ offset: true }), WithdrawalId]));
const tags = ['wallet'];
const access = ['buyer'] as const;

type Deps = {
  readonly core: Pick<Core, 'write' | 'clock'>;
  readonly book: WalletBook;
  readonly writes: ReturnType<typeof walletWrites>;
  readonly vault: Vault;
};

export const walletRoutes = (deps: Deps): Routes =>
  async function routes(app) {
    await app.register(readRoutes(deps));
    await app.register(withdrawRoute(deps));
    await app.register(operatorRoutes(deps));
    await app.register(revealRoute(deps));
  };

/** An account that never had a balance has an empty one. */
const emptyOf = (accountId: AccountId): Wallet => ({
  accountId,
  wechat: 0,
  qqWallet: 0,
  eBanking: 0,
  offline: 0,
  frozen: 0,
  owed: 0,
  bankAccount: null,
  withdrawals: [],
});

const readRoutes = ({ book }: Deps): Routes =>
  async function read(app) {
    app.get(
      '/v1/wallet',
      { config: { access }, schema: { tags, summary: '账户余额 of my account', response: { 200: ShownWallet } } },
      async (request) => {
        const { accountId } = callerOf(request);
        return shownWallet((await book.of(accountId)) ?? emptyOf(accountId));
      },
    );
    app.get(
      '/v1/wallet/withdrawals',
      {
        config: { access, problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags,
          summary: 'My withdrawals 提现, newest first',
          querystring: z.strictObject(listQuery),
          response: { 200: pageOf(ShownWithdrawal) },
        },
      },
      async (request) => {
        const { limit, cursor } = request.query;
        const rows = await book.withdrawals({ accountId: callerOf(request).accountId, after: afterOf(cursor), limit: limit + 1 });
        return byNewest.page(rows, limit, keyOf, shownWithdrawal);
      },
    );
    app.get(
      '/v1/wallet/withdrawals/:withdrawal_id',
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: { tags, summary: 'A withdrawal', params: Params, response: { 200: ShownWithdrawal } },
      },
      async (request) => {
        const found = await book.withdrawal(request.params.withdrawal_id);
        if (found?.accountId !== callerOf(request).accountId) throw new Problem('not-found');
        return shownWithdrawal(found);
      },
    );
  };

const withdrawRoute = ({ core, writes }: Deps): Routes =>
  async function withdraw(app) {
    app.post(
      '/v1/wallet/withdrawals',
      {
        config: {
          access,
          idempotency: 'required',
          problems: Problem.codes('withdrawal-too-much', 'withdrawal-route-closed', 'bank-account-missing'),
        },
        schema: {
          tags,
          summary: 'Withdraw a part of my balance 提现',
          description:
            'What was topped up by WeChat, QQ wallet or e-banking goes back by the original route 原路, within 2 hours; the rest by bank transfer 对公 to the account that it came from, in 7 to 15 working days.',
          body: z.strictObject({ source: Source, amount: Fen.min(1) }),
          response: { 201: ShownWithdrawal },
        },
      },
      async (request, reply) => {
        const { accountId, userId: by } = callerOf(request);
        const asked = { ...request.body, withdrawalId: newId('wdr', core.clock.now()), accountId, by };
        return answer(reply, await core.write(writes.withdraw, asked, idempotencyOf(request)));
      },
    );
  };

/** Transfers are made by hand, by two persons: one says what was done, another confirms it. */
const operatorRoutes = ({ core, book, writes }: Deps): Routes =>
  async function operators(app) {
    const config = { access: ['operator'], problems: Problem.codes('not-found', 'withdrawal-not-open', 'second-person-needed') } as const;
    app.get(
      '/v1/ops/wallet-withdrawals',
      {
        config: { access: ['operator'], problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags,
          summary: 'Withdrawals of all accounts, newest first',
          querystring: z.strictObject({ ...listQuery, status: Status.optional(), account_id: AccountId.optional() }),
          response: { 200: pageOf(HandledWithdrawal) },
        },
      },
      async (request) => {
        const { limit, cursor, status, account_id: accountId } = request.query;
        const rows = await book.withdrawals({ accountId, status, after: afterOf(cursor), limit: limit + 1 });
        const wallets = new Map<AccountId, Wallet | undefined>();
        for (const { accountId: owner } of rows) if (!wallets.has(owner)) wallets.set(owner, await book.of(owner));
        return byNewest.page(rows, limit, keyOf, (row) => handledWithdrawal(row, wallets.get(row.accountId)));
      },
    );
    app.post(
      '/v1/ops/wallet-withdrawals/:withdrawal_id/propose',
      {
        config,
        schema: {
          tags,
          summary: 'Say that a transfer was made, or cannot be',
          description: 'Moves nothing: another operator has to approve it. The note names the transfer at the bank, or why there is none.',
          params: Params,
          body: z.strictObject({ outcome: z.enum(['paid', 'failed']), note: z.string().trim().min(1).max(200) }),
          response: { 200: ShownWithdrawal },
        },
      },
      async (request, reply) => {
        const of = await handledOf(request.params.withdrawal_id, book);
        const by = callerOf(request).userId;
        return answer(reply, await core.write(writes.propose, { ...of, by, proposal: { ...request.body, by } }));
      },
    );
    for (const [verb, approved, summary] of [
      ['approve', true, 'Confirm what another operator says of a transfer'],
      ['reject', false, 'Reject what was said of a transfer'],
    ] as const)
      app.post(
        `/v1/ops/wallet-withdrawals/:withdrawal_id/${verb}`,
        { config, schema: { tags, summary, params: Params, response: { 200: ShownWithdrawal } } },
        async (request, reply) => {
          const of = await handledOf(request.params.withdrawal_id, book);
          return answer(reply, await core.write(writes.decide, { ...of, by: callerOf(request).userId, approved }));
        },
      );
  };

/** Whoever makes the transfer needs the number; that it was read stays in the audit. */
const revealRoute = ({ core, book, writes, vault }: Deps): Routes =>
  async function reveal(app) {
    app.post(
      '/v1/ops/wallet-withdrawals/:withdrawal_id/reveal-account',
      {
        config: { access: ['operator'], problems: Problem.codes('not-found', 'withdrawal-not-open') },
        schema: {
          tags,
          summary: 'Read the whole number of the account that a transfer goes to',
          description: 'Kept encrypted and shown masked everywhere else. Each time it is read is noted in the audit.',
          params: Params,
          response: { 200: RevealedAccount },
        },
      },
      async (request, reply) => {
        const { withdrawal_id: withdrawalId } = request.params;
        const found = await book.withdrawal(withdrawalId);
        const account = found && (await book.of(found.accountId))?.bankAccount;
        if (!found) throw new Problem('not-found');
        if (!account || !isToBeTransferred(found)) throw new Problem('withdrawal-not-open');
        const { accountId } = found;
        await core.write(writes.noteReveal, { accountId, withdrawalId, by: callerOf(request).userId });
        void reply.header('cache-control', 'no-store');
        return { withdrawal_id: withdrawalId, name: account.name, bank: account.bank, number: numberOf(vault, accountId, account) };
      },
    );
  };

async function handledOf(withdrawalId: WithdrawalId, book: WalletBook): Promise<{ withdrawalId: WithdrawalId; accountId: AccountId }> {
  const found = await book.withdrawal(withdrawalId);
  if (!found) throw new Problem('not-found');
  return { withdrawalId, accountId: found.accountId };
}

const keyOf = (row: Withdrawal): [string, WithdrawalId] => [row.createdAt.toISOString(), row.withdrawalId];
function afterOf(cursor: string | undefined): { at: Date; withdrawalId: WithdrawalId } | undefined {
  const last = byNewest.after(cursor);
  return last && { at: new Date(last[0]), withdrawalId: last[1] };
}
