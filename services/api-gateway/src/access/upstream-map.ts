import type { Sql } from '@yunshi/db/connect';
import type { ProductId } from '@yunshi/kernel/ids';
import { judgeUrl, type EgressRules } from '@yunshi/protocols/egress/destination';
import { guardedLookup } from '@yunshi/protocols/egress/lookup';
import type { Vault } from '@yunshi/service/vault';
import { Pool } from 'undici';
import { forwardPolicy } from '../policy.ts';

export type Upstream = {
  readonly pool: Pool;
  /** Put before what a call has after its service. */
  readonly basePath: string;
  readonly token: string | undefined;
};

type Slot = { upstream: Upstream | undefined; of: string; atMs: number };
const believedMs = 1_000;
const poolsMax = 512;

export type UpstreamMap = ReturnType<typeof upstreamMap>;

export type UpstreamParts = {
  readonly sql: Sql;
  readonly vault: Pick<Vault, 'open'>;
  readonly nowMs: () => number;
  readonly rules: EgressRules;
  /** Where the sandbox plays upstreams that no provider has set. Development only. */
  readonly sandboxUrl: string | undefined;
};

/** Where calls of each product go, behind the egress guard, with the connections that are kept to it. */
export function upstreamMap({ sql, vault, nowMs, rules, sandboxUrl }: UpstreamParts) {
  const slots = new Map<ProductId, Slot>();
  const pools = new Map<string, Pool>();
  const asked = new Map<ProductId, Promise<void>>();

  async function read(productId: ProductId): Promise<void> {
    const [row] = await sql<{ url: string; token: string }[]>`select url, token from upstreams where product_id = ${productId}`;
    const url = row?.url ?? (sandboxUrl && `${sandboxUrl}/sandbox/upstream/${productId}`);
    const of = `${url} ${row?.token}`;
    const before = slots.get(productId);
    const upstream =
      before?.of === of ? before.upstream : url && upstreamAt(url, row && vault.open(row.token, `upstreams.token ${productId}`));
    slots.set(productId, { upstream: upstream || undefined, of, atMs: nowMs() });
  }

  function upstreamAt(url: string, token: string | undefined): Upstream | undefined {
    const judged = judgeUrl(url, rules);
    if (!judged.ok) return undefined;
    const { url: to, host, exempt } = judged.destination;
    const known = pools.get(to.origin);
    const pool = known ?? guardedPool(to.origin, host, exempt);
    pools.delete(to.origin);
    pools.set(to.origin, pool);
    if (pools.size > poolsMax) {
      const [oldest] = pools;
      // What runs over it is finished; whoever still names it is read again within a second.
      if (oldest !== undefined) {
        pools.delete(oldest[0]);
        for (const [id, slot] of slots) if (slot.upstream?.pool === oldest[1]) slots.delete(id);
        void oldest[1].close();
      }
    }
    return { pool, basePath: to.pathname.replace(/\/+$/, ''), token };
  }

  return {
    find(productId: ProductId): Upstream | undefined | Promise<Upstream | undefined> {
      const slot = slots.get(productId);
      if (slot !== undefined && nowMs() - slot.atMs <= believedMs) return slot.upstream;
      let reading = asked.get(productId);
      if (reading === undefined) {
        reading = read(productId).finally(() => asked.delete(productId));
        asked.set(productId, reading);
      }
      if (slot?.upstream !== undefined) {
        // An upstream that moves is found a moment later; nobody who calls all the time waits for it.
        reading.catch(() => undefined);
        return slot.upstream;
      }
      return reading.then(() => slots.get(productId)?.upstream);
    },
    close: async () => void (await Promise.all([...pools.values()].map((pool) => pool.destroy()))),
  };
}

function guardedPool(origin: string, host: string, exempt: boolean): Pool {
  return new Pool(origin, {
    connections: forwardPolicy.connectionsMax,
    connect: { timeout: forwardPolicy.connectMsMax, lookup: guardedLookup(host, exempt) },
    headersTimeout: forwardPolicy.answerMsMax,
    bodyTimeout: forwardPolicy.silenceMsMax,
    keepAliveTimeout: forwardPolicy.keepAliveMs,
    pipelining: 1,
    allowH2: false,
  });
}
