import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoProviders } from '@yunshi/contracts/demo-world';
import { connect, type Sql } from '@yunshi/db/connect';
import { endLeftovers } from '@yunshi/local/leftovers';
import { services } from '@yunshi/local/services';
import { startSystem, type Part, type System, type SystemOptions } from '@yunshi/local/system';
import { claimCoupons, makeBuyers } from '../bench/place.ts';
import { Shopper } from '../shopper.ts';
import { makeLinks, type Links } from './links.ts';
import { agreementsOf, type Customer } from './load.ts';
import type { Random } from './random.ts';

/** A system of its own, with customers before its door, on which things may be broken. */
export type Stage = {
  readonly dir: string;
  readonly system: System;
  /** A superuser's eyes; never in the way of a fault. */
  readonly sql: Sql;
  readonly links: Links;
  readonly services: readonly Part[];
  readonly natsServers: readonly Part[];
  readonly customers: readonly [Customer, ...Customer[]];
  readonly agreements: ReadonlyMap<string, readonly string[]>;
  readonly operator: Shopper;
  /** How often the customers had to ask again, by status or error. */
  readonly unsure: ReadonlyMap<string, number>;
  /** Ends everything, and removes what it left unless it shall be looked at. */
  readonly stop: (keep: boolean) => Promise<void>;
};

/** What the services get to know about it, and what undoes it. */
export type Prepared = { readonly env?: SystemOptions['env']; readonly undo: () => Promise<void> };

export type StageOptions = Pick<SystemOptions, 'natsServers' | 'durable' | 'restart'> & {
  /** Draws what the proxies between services and servers decide by chance. */
  readonly random: Random;
  /** Prepares the folder before anything lives in it. */
  readonly prepare?: (dir: string) => Promise<Prepared>;
  readonly say: (line: string) => void;
};

const buyers = 60;
const coupons = 120;

export async function setStage({ say, prepare, random, ...options }: StageOptions): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'yunshi-chaos-'));
  const prepared = await prepare?.(dir);
  const links = makeLinks(random);
  const clear = async (keep: boolean) => {
    await endLeftovers(dir);
    await links.stop();
    await prepared?.undo();
    if (!keep) await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const system = await startSystem({
      dir,
      seed: 'demo',
      testClock: true,
      ports: 'free',
      restart: true,
      between: links.between,
      env: prepared?.env ?? {},
      say,
      ...options,
    });
    const urls = { gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! };
    const unsure = new Map<string, number>();
    const onUnsure = (why: string) => void unsure.set(why, (unsure.get(why) ?? 0) + 1);
    const made = await makeBuyers(dir, urls.gateway, buyers);
    await claimCoupons(urls.gateway, made, coupons);
    const customers = made.map(({ token, claims }): Customer => ({ shopper: new Shopper(urls, { token, onUnsure }), claims }));
    const operator = await new Shopper(urls).login('operator');
    // This provider never delivers: its orders fail, and are paid back.
    const desk = `/sandbox/provider/${demoProviders.chenxi.providerId}/script`;
    await operator.outside('POST', desk, { action: 'createInstance', behaviour: 'error' });
    const sql = connect({ url: system.adminUrl, name: 'chaos', connectionsMax: 4 });
    return {
      dir,
      system,
      sql,
      links,
      services: services.map(({ name }) => name),
      natsServers: options.natsServers === 3 ? ['nats-1', 'nats-2', 'nats-3'] : ['nats'],
      customers: customers as [Customer, ...Customer[]],
      agreements: await agreementsOf(customers[0]!.shopper),
      operator,
      unsure,
      async stop(keep) {
        await sql.end({ timeout: 5 });
        await system.stop();
        await clear(keep);
      },
    };
  } catch (error) {
    await clear(false);
    throw error;
  }
}
