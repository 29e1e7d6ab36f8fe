import type { ServerConfiguration } from '@yunshi/kernel/server';
import type { Cloud, Heard, Named, Price, Rented } from './cloud.ts';
import { isPeriod, check, refuse, refusedByCloud, type NotOffered, type Offers } from './offers.ts';
import { serverPolicy } from './policy.ts';

/** What the cloud offers, kept for a while, and its prices: buyers look far more often than offers change. */

/** The cloud gave no answer, or one that says nothing about the buyer's wish. */
export class CloudAway extends Error {
  constructor(why: string) {
    super(`the cloud gives no offers: ${why}`);
    this.name = 'CloudAway';
  }
}

export type Asked = { readonly result: 'priced'; readonly price: Price } | ({ readonly result: 'refused' } & NotOffered);

export type Shelf = {
  readonly regions: () => Promise<readonly Named[]>;
  readonly offers: (region: string, productId: string) => Promise<Offers>;
  /** What a server of this configuration costs, or what of it cannot be had. */
  readonly price: (productId: string, wanted: ServerConfiguration, months: number) => Promise<Asked>;
  readonly renewalPrice: (server: Rented, months: number) => Promise<Asked>;
};

type Parts = { readonly cloud: Cloud; readonly nowMs: () => number; readonly regions?: readonly string[] | undefined };

/** A quote and the order that follows it are to be of one price; what is sold out is to be seen soon. */
const offersMs = 5 * 60_000;
const pricesMs = 60_000;
const keptMax = 2_000;
const timeoutMs = 4_000;

export function cloudShelf({ cloud, nowMs, regions: offered }: Parts): Shelf {
  const kept = memory(nowMs);
  const inTime = () => AbortSignal.timeout(timeoutMs);
  const regions = () =>
    kept('regions', offersMs, async () => {
      const all = answered(await cloud.regions(inTime()));
      return offered === undefined ? all : all.filter(({ id }) => offered.includes(id));
    });
  const offers = async (region: string, productId: string): Promise<Offers> => {
    const [zones, machines, images, securityGroups] = await Promise.all([
      kept(`zones ${region}`, offersMs, async () => answered(await cloud.zones(region, inTime()))),
      kept(`machines ${region}`, offersMs, async () => answered(await cloud.machines(region, inTime()))),
      kept(`images ${region} ${productId}`, offersMs, async () => answered(await cloud.images(region, productId, inTime()))),
      kept(`groups ${region}`, offersMs, async () => answered(await cloud.securityGroups(region, inTime()))),
    ]);
    return { region, zones, machines, images, securityGroups };
  };
  const priced = (asking: Promise<Heard<Price>>): Promise<Asked> => asking.then(asPrice);
  return {
    regions,
    offers,
    async price(productId, wanted, months) {
      const known = (await regions()).map(({ id }) => id);
      if (!known.includes(wanted.region)) return { result: 'refused', ...refuse('region', known).error };
      const judged = check(wanted, months, await offers(wanted.region, productId));
      if (!judged.ok) return { result: 'refused', ...judged.error };
      const { login: _login, securityGroupId: _group, ...what } = wanted;
      return kept(`price ${JSON.stringify(what)} ${months}`, pricesMs, () => priced(cloud.price(wanted, months, inTime())));
    },
    async renewalPrice(server, months) {
      if (!isPeriod(months)) return { result: 'refused', ...refuse('duration', serverPolicy.months.map(String)).error };
      return kept(`renewal ${server.serverId} ${months}`, pricesMs, () => priced(cloud.renewalPrice(server, months, inTime())));
    },
  };
}

function answered<T>(heard: Heard<T>): T {
  if (heard.kind === 'answered') return heard.value;
  throw new CloudAway(heard.kind === 'refused' ? heard.code : heard.why);
}

function asPrice(heard: Heard<Price>): Asked {
  const refusal = heard.kind === 'refused' ? refusedByCloud(heard.code) : undefined;
  return refusal ? { result: 'refused', ...refusal } : { result: 'priced', price: answered(heard) };
}

/** Answers of one question are shared while they are fresh; one that failed is asked again. */
function memory(nowMs: () => number) {
  const entries = new Map<string, { readonly untilMs: number; readonly value: Promise<unknown> }>();
  return <T>(key: string, forMs: number, ask: () => Promise<T>): Promise<T> => {
    const known = entries.get(key);
    if (known && nowMs() < known.untilMs) return known.value as Promise<T>;
    const value = ask();
    entries.delete(key);
    entries.set(key, { untilMs: nowMs() + forMs, value });
    const [oldest] = entries.keys();
    if (entries.size > keptMax && oldest !== undefined) entries.delete(oldest);
    value.catch(() => entries.delete(key));
    return value;
  };
}
