/** The balances that the demo world's older accounts bring along. */
import { demoAccounts } from '@yunshi/contracts/demo-world';
import type { Core } from '@yunshi/messaging/core';
import { httpWrite, write, type Decision } from '@yunshi/messaging/handle';
import type { Vault } from '@yunshi/service/vault';
import { sealAccount } from './bank-accounts.ts';
import { postingRows, rowsOfEntry } from '../ledger/entries.ts';
import * as ledger from '../ledger/ledger.ts';
import { partOf, SOURCES, type Wallet } from './wallet.ts';
import { wallets } from './wallets.ts';

const nothing = { wechat: 0, qqWallet: 0, eBanking: 0, offline: 0, frozen: 0, owed: 0, bankAccount: null, withdrawals: [] } as const;

const demoWallets = (vault: Vault): readonly Wallet[] => [
  {
    ...nothing,
    accountId: demoAccounts.qinghe.accountId,
    wechat: 120_000,
    eBanking: 50_000,
    offline: 300_000,
    frozen: 20_000,
    owed: 5_000,
    bankAccount: sealAccount(vault, demoAccounts.qinghe.accountId, {
      name: demoAccounts.qinghe.name,
      bank: '招商银行',
      number: '6200000000000000001',
    }),
  },
  {
    ...nothing,
    accountId: demoAccounts.haishi.accountId,
    offline: 880_000,
    bankAccount: sealAccount(vault, demoAccounts.haishi.accountId, {
      name: demoAccounts.haishi.name,
      bank: '中国工商银行',
      number: '6200000000000000002',
    }),
  },
  { ...nothing, accountId: demoAccounts.suting.accountId, wechat: 8_800, qqWallet: 1_200 },
];

const open = httpWrite('seed wallet', {
  of: wallets,
  key: (wallet: Wallet) => wallet.accountId,
  decide: (wallet, known, { now }): Decision<Wallet> =>
    known
      ? {}
      : {
          save: wallet,
          writes: SOURCES.map((source) =>
            ledger.walletOpening({ accountId: wallet.accountId, source, amount: partOf(wallet, source), at: now }),
          )
            .flatMap(rowsOfEntry)
            .map((row) => write(postingRows, row)),
        },
});

export async function seedWallets(core: Pick<Core, 'write'>, vault: Vault): Promise<void> {
  for (const wallet of demoWallets(vault)) await core.write(open, wallet);
}
