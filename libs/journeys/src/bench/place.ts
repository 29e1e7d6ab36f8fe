import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoCoupons, demoProducts } from '@yunshi/contracts/demo-world';
import { connect, type Sql } from '@yunshi/db/connect';
import { devIssuer } from '@yunshi/gateway/dev-issuer/issuer';
import { newId } from '@yunshi/kernel/ids';
import { AUDIENCE, services, type Service } from '@yunshi/local/services';
import { endLeftovers } from '@yunshi/local/leftovers';
import { startSystem, type System } from '@yunshi/local/system';
import type { Balancer } from './balancer.ts';
import { surely, type Buyer, type Wish } from './buyer.ts';
import { startGenerator, type Generator } from './generator.ts';
import { startSink } from './sink.ts';
import { prepareCounting } from './statements.ts';

/** A system of its own to be measured, with buyers before its door. */
export type Place = {
  readonly system: System;
  /** Where its data and its issuer's key are. */
  readonly dir: string;
  /** A superuser's eyes. */
  readonly sql: Sql;
  readonly generator: Generator;
  /** The names of all processes but the servers. */
  readonly parts: readonly string[];
  /** Ends the services in order, so that they write down what they have recorded, and leaves the rest. */
  readonly stopServices: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type PlaceOptions = {
  readonly buyers: number;
  readonly coupons: number;
  /** More instances of the order service, named `order-2` and so on. */
  readonly moreOrders?: number;
  readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Settings of PostgreSQL to be tried. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
  /** Stands before the order service. */
  readonly balancer?: Balancer;
  /** The folder into which every service records where its time goes. */
  readonly profiles?: string | undefined;
  readonly say: (line: string) => void;
};

const claimsAtOnce = 16;
const claimsPerBuyer = 5;

export async function startPlace({
  buyers: count,
  coupons,
  moreOrders = 0,
  env = {},
  postgresSettings = {},
  balancer,
  profiles,
  say,
}: PlaceOptions): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'yunshi-bench-'));
  const sink = await startSink();
  const clear = async () => {
    await endLeftovers(dir);
    await sink.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const order = services.find(({ name }) => name === 'order')!;
    const more = Array.from({ length: moreOrders }, (_, nth): Service => ({ ...order, name: `order-${nth + 2}` }));
    const system = await startSystem({
      dir,
      seed: 'demo',
      services: [...services, ...more],
      durable: true,
      postgresSettings: {
        shared_preload_libraries: 'pg_stat_statements, auto_explain',
        'pg_stat_statements.track_planning': 'on',
        ...postgresSettings,
      },
      // Traces and metrics are on, at the sampling that is the default.
      env: { ...env, '*': { ...sink.env, ...env['*'] }, ...recording([...services, ...more], profiles) },
    });
    balancer?.to([Number(new URL(system.urls['order']!).port)]);
    say(`the system is up in ${dir}`);
    const sql = connect({ url: system.adminUrl, name: 'bench', connectionsMax: 4 });
    await prepareCounting(sql);
    const urls = { gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! };
    const buyers = await makeBuyers(dir, urls.gateway, count);
    await claimCoupons(urls.gateway, buyers, coupons);
    const generator = await startGenerator({ urls, natsUrl: system.natsUrl, buyers, wish: await wishOf(urls.gateway, buyers[0]!) });
    const parts = [...services, ...more].map(({ name }) => name);
    const stopServices = async () => {
      for (const part of parts) await system.kill(part, 'SIGTERM');
    };
    const stop = async () => {
      await generator.stop();
      await sql.end();
      await system.stop();
      await clear();
    };
    return { system, dir, sql, generator, parts, stopServices, stop };
  } catch (error) {
    await clear();
    throw error;
  }
}

const recording = (of: readonly Service[], folder: string | undefined): PlaceOptions['env'] =>
  folder === undefined
    ? {}
    : Object.fromEntries(
        of.map(({ name }) => [name, { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder} --cpu-prof-name=${name}.cpuprofile` }]),
      );

/** Buyers with accounts of their own, so that none of them asks more often than one may. */
export async function makeBuyers(dir: string, issuer: string, count: number): Promise<Buyer[]> {
  const { token } = await devIssuer({ issuer, audience: AUDIENCE, keyFile: join(dir, 'dev-issuer.json') });
  const now = new Date();
  const one = async (nth: number): Promise<Buyer> => {
    const caller = { userId: newId('usr', now), accountId: newId('acc', now), roles: ['buyer'] as const };
    return { token: await token(caller, { name: `buyer ${nth}` }), claims: [] };
  };
  return Promise.all(Array.from({ length: count }, (_, nth) => one(nth)));
}

export async function claimCoupons(gateway: string, buyers: readonly Buyer[], wanted: number): Promise<void> {
  const { couponId } = demoCoupons.fanyingMinus20;
  const takers = buyers.slice(0, Math.ceil(wanted / claimsPerBuyer)).flatMap((buyer) => Array<Buyer>(claimsPerBuyer).fill(buyer));
  for (let from = 0; from < takers.length; from += claimsAtOnce) {
    await Promise.all(
      takers.slice(from, from + claimsAtOnce).map(async ({ token, claims }) => {
        const { status, body } = await surely(`${gateway}/v1/coupons/${couponId}/claims`, token, undefined);
        if (status !== 201) throw new Error(`no coupon to be had: ${JSON.stringify(body)}`);
        claims.push(body['claim_id'] as string);
      }),
    );
  }
}

/** The help desk: its provider, played by the sandbox, delivers at the first call. */
async function wishOf(gateway: string, { token }: Buyer): Promise<Wish> {
  const wish = { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 };
  const { body } = await surely(`${gateway}/v1/quotes`, token, { ...wish, coupon: 'none' });
  return { ...wish, accepted_agreements: (body['agreements'] as { name: string }[]).map(({ name }) => name) };
}
