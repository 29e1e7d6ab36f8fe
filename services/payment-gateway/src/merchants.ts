import type { Channel } from '@yunshi/contracts/payment';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { demoProviders } from '@yunshi/contracts/demo-world';
import type { ProviderId } from '@yunshi/kernel/ids';
import * as tables from './tables.ts';

type Payees = Readonly<Partial<Record<Channel, string>>>;

/** Decisions are pure and need a provider's payees at once, so that they are held in memory and read again every so often. */
const REREAD_MS = 10_000;
const merchantRows = rowsOf(tables.merchants, 'providerId', { onConflict: 'keep' });

export type Merchants = {
  /** Of the channels that are in service here; empty for a provider that nobody can pay. */
  readonly payeesOf: (providerId: ProviderId) => Payees;
  /** All numbers of providers at a channel. */
  readonly payeesAt: (channel: Channel) => readonly string[];
  /** The company that has this number at a channel, as that channel knows it. */
  readonly companyOf: (payee: string) => string;
  readonly stop: () => void;
};

export async function openMerchants(sql: Sql, inService: readonly Channel[], onFault: (error: unknown) => void): Promise<Merchants> {
  let known: ReadonlyMap<ProviderId, Payees> = new Map();
  let companies: ReadonlyMap<string, string> = new Map();
  const read = async (): Promise<void> => {
    const rows = await sql<{ providerId: ProviderId; payees: Payees; company: string | null }[]>`
      select provider_id as "providerId", payees, company from merchants`;
    companies = new Map(rows.flatMap(({ payees, company }) => Object.values(payees).map((payee) => [payee, company ?? ''] as const)));
    known = new Map(rows.map(({ providerId, payees }) => [providerId, offered(payees, inService)]));
  };
  await read();
  const timer = setInterval(() => void read().catch(onFault), REREAD_MS);
  timer.unref();
  return {
    payeesOf: (providerId) => known.get(providerId) ?? {},
    payeesAt: (channel) => [...known.values()].flatMap((payees) => payees[channel] ?? []),
    companyOf: (payee) => companies.get(payee) ?? '',
    stop: () => clearInterval(timer),
  };
}

const offered = (payees: Payees, inService: readonly Channel[]): Payees =>
  Object.fromEntries(Object.entries(payees).filter(([channel]) => inService.includes(channel as Channel)));

/**
 * The demo world's providers are signed up for WeChat Pay as sub merchants 1900000101 and following, and, but for the second one, for 商企付
 * as companies 3000000101 and following; the first one for UnionPay B2B as well.
 */
export async function seedMerchants(sql: Sql): Promise<void> {
  const rows = Object.entries(demoProviders).map(([key, { providerId, name }], index) => ({
    providerId,
    company: name,
    payees: {
      wechat_native: String(1_900_000_101 + index),
      ...(key !== 'chenxi' && { corporate_bank: String(3_000_000_101 + index) }),
      ...(key === 'fanying' && { unionpay_b2b: '777290058110101' }),
    },
  }));
  await merchantRows.save(sql, rows);
}
