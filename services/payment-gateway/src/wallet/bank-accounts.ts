/** Numbers of bank accounts, which nobody reads in the database, nor anywhere without leaving a trace. */
import type { Sql } from '@yunshi/db/connect';
import type { AccountId } from '@yunshi/kernel/ids';
import type { Vault } from '@yunshi/service/vault';
import type { BankAccount } from './wallet.ts';

type Known = { readonly name: string; readonly bank: string; readonly number: string };

const boundTo = (accountId: AccountId): string => `wallets.bank_account ${accountId}`;
const LAST_DIGITS = 4;

export const sealAccount = (vault: Vault, accountId: AccountId, { name, bank, number }: Known): BankAccount => ({
  name,
  bank,
  last4: number.slice(-LAST_DIGITS),
  sealed: vault.seal(number, boundTo(accountId)),
});

export const numberOf = (vault: Vault, accountId: AccountId, { sealed }: BankAccount): string => vault.open(sealed, boundTo(accountId));

export const masked = ({ bank, last4 }: BankAccount): string => `${bank} ****${last4}`;

const ROWS_MAX = 500;

/** Seals numbers that stand open, and puts sealed ones under the newest key. To be done at every start: an old key can then be forgotten. */
export async function resealAccounts(sql: Sql, vault: Vault): Promise<void> {
  let last = '';
  for (;;) {
    const rows = await sql<{ accountId: AccountId; bankAccount: Partial<BankAccount> & Partial<Known> }[]>`
      select account_id as "accountId", bank_account as "bankAccount" from wallets
      where bank_account is not null and account_id > ${last} order by account_id limit ${ROWS_MAX}`;
    const changed = rows.flatMap(({ accountId, bankAccount }) => {
      const sealed = resealed(vault, accountId, bankAccount);
      return sealed ? [{ accountId, sealed: JSON.stringify(sealed), before: JSON.stringify(bankAccount) }] : [];
    });
    if (changed.length > 0)
      await sql`
        update wallets set bank_account = t.sealed::jsonb
        from unnest(${changed.map((one) => one.accountId)}::text[], ${changed.map((one) => one.sealed)}::text[],
          ${changed.map((one) => one.before)}::text[]) as t(id, sealed, before)
        where account_id = t.id and bank_account = t.before::jsonb`;
    if (rows.length < ROWS_MAX) return;
    last = rows.at(-1)!.accountId;
  }
}

function resealed(vault: Vault, accountId: AccountId, known: Partial<BankAccount> & Partial<Known>): BankAccount | undefined {
  const { name = '', bank = '', number, sealed, last4 = '' } = known;
  if (number !== undefined) return sealAccount(vault, accountId, { name, bank, number });
  const newer = sealed === undefined ? undefined : vault.rewrap(sealed, boundTo(accountId));
  return newer === undefined ? undefined : { name, bank, last4, sealed: newer };
}
