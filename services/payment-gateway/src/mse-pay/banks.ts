/** Which banks a payee can be paid through now, as 商企付 says: some are closed for maintenance at times. */
import { bankNames, BankCode } from '@yunshi/kernel/banks';
import type { Clock } from '@yunshi/kernel/clock';
import type { Fen } from '@yunshi/kernel/money';
import { SupportBanks } from '@yunshi/protocols/mse-pay/payment';
import type { MsePayClient } from './client.ts';

export type Bank = {
  readonly code: BankCode;
  readonly name: string;
  readonly isOpen: boolean;
  /** Why it is closed, in the channel's words. */
  readonly closedBecause: string | null;
  /** The most that it carries at once, fen; null where the channel says nothing of it. */
  readonly quota: Fen | null;
};
/** `asOf`: when the channel said so; null where it has not been heard, and all are taken for open: it refuses a payment itself then. */
export type BanksNow = { readonly banks: readonly Bank[]; readonly asOf: Date | null };
export type Banks = (payee: string) => Promise<BanksNow>;

/** How long an answer is believed without asking again, and how long when the channel does not answer. */
const FRESH_MS = 60_000;
const STALE_MS = 3_600_000;
const ASK_MS_MAX = 2_000;
/** Payees whose answers are kept; the one that was asked about longest ago is forgotten. */
const KEPT_MAX = 1_000;

const all: readonly Bank[] = BankCode.options.map((code) => ({
  code,
  name: bankNames[code],
  isOpen: true,
  closedBecause: null,
  quota: null,
}));

export function msePayBanks(client: Pick<MsePayClient, 'exchange'>, wall: Clock): Banks {
  const known = new Map<string, BanksNow & { readonly asOf: Date }>();
  const ageMs = (asOf: Date): number => wall.now().getTime() - asOf.getTime();
  return async (payee) => {
    const before = known.get(payee);
    if (before && ageMs(before.asOf) < FRESH_MS) return before;
    const target = `/v3/mse-pay/bank/support_banks?ent_id=${encodeURIComponent(payee)}`;
    const answer = await client.exchange({ method: 'GET', target, signal: AbortSignal.timeout(ASK_MS_MAX) });
    const read = answer.kind === 'done' ? SupportBanks.safeParse(answer.body) : undefined;
    if (!read?.success) return before && ageMs(before.asOf) < STALE_MS ? before : { banks: all, asOf: null };
    const now = { banks: banksIn(read.data), asOf: wall.now() };
    known.delete(payee);
    known.set(payee, now);
    if (known.size > KEPT_MAX) known.delete(known.keys().next().value!);
    return now;
  };
}

/** Of ours, all: one that the channel leaves out is not to be had. */
function banksIn(told: SupportBanks): Bank[] {
  const by = new Map(told.map((one) => [one.bank_sname, one]));
  return all.map((bank) => {
    const seen = by.get(bank.code);
    if (!seen) return { ...bank, isOpen: false };
    const closedBecause = seen.under_maintenance ? (seen.maintenance_info ?? null) : null;
    return { ...bank, isOpen: !seen.under_maintenance, closedBecause, quota: seen.quota ?? null };
  });
}
