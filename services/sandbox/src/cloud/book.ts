import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { Mishap } from './mishaps.ts';
import { cloudImages, cloudServers, type CloudServer } from './tables.ts';

/** The played cloud's own records: the only SQL for them. */

const servers = rowsOf(cloudServers, 'serverId');
const images = rowsOf(cloudImages, 'imageId', { onConflict: 'keep' });
const columns = selectListOf(cloudServers);

export type CallLine = {
  readonly action: string;
  readonly region: string;
  readonly request: string;
  readonly answer: string;
  readonly at: Date;
};
export type Image = typeof cloudImages.$inferSelect;

export type CloudBook = ReturnType<typeof cloudBook>;

export const cloudBook = (sql: Sql) => ({
  /** Makes it, unless its token has made one already: that is answered then. */
  async add(server: CloudServer): Promise<CloudServer> {
    return (await sql.begin(async (transaction) => {
      const tx = transaction as unknown as Tx;
      await tx`select pg_advisory_xact_lock(hashtextextended(${`cloud ${server.clientToken}`}, 0))`;
      const [known] = await tx<CloudServer[]>`select ${tx.unsafe(columns)} from cloud_servers where client_token = ${server.clientToken}`;
      if (!known) await servers.save(tx, [server]);
      return known ?? server;
    })) as CloudServer;
  },
  /** Changes one under its lock; undefined where there is none. */
  async change<R>(
    serverId: string,
    work: (server: CloudServer) => { readonly save?: CloudServer; readonly result: R },
  ): Promise<R | undefined> {
    return (await sql.begin(async (transaction) => {
      const tx = transaction as unknown as Tx;
      const [server] = await servers.lock(tx, [serverId]);
      if (!server) return undefined;
      const { save, result } = work(server);
      if (save) await servers.save(tx, [save]);
      return result;
    })) as R | undefined;
  },
  byIds: (ids: readonly string[]): Promise<readonly CloudServer[]> => servers.find(sql, ids),
  byTag: (region: string, key: string, values: readonly string[]): PromiseLike<CloudServer[]> => sql<CloudServer[]>`
    select ${sql.unsafe(columns)} from cloud_servers
    where region = ${region} and tags @> any(${values.map((Value) => JSON.stringify([{ Key: key, Value }]))}::text[]::jsonb[])
    order by created_at limit 100`,
  newest: (): PromiseLike<CloudServer[]> => sql<CloudServer[]>`
    select ${sql.unsafe(columns)} from cloud_servers order by created_at desc limit 100`,

  rememberImages: async (found: readonly Image[]): Promise<void> => void (await images.save(sql, found)),
  hasImage: async (imageId: string): Promise<boolean> => (await images.find(sql, [imageId])).length > 0,

  async arm(what: Mishap, times: number): Promise<void> {
    await sql`insert into cloud_mishaps (what, remaining) values (${what}, ${times}) on conflict (what) do update set remaining = excluded.remaining`;
  },
  async take(what: Mishap): Promise<boolean> {
    const taken = await sql`update cloud_mishaps set remaining = remaining - 1 where what = ${what} and remaining > 0`;
    return taken.count > 0;
  },
  armed: (): PromiseLike<{ what: Mishap; remaining: number }[]> => sql<{ what: Mishap; remaining: number }[]>`
    select what, remaining from cloud_mishaps where remaining > 0 order by what`,
  disarm: async (): Promise<void> => void (await sql`delete from cloud_mishaps`),

  async record({ action, region, request, answer, at }: CallLine): Promise<void> {
    await sql`insert into cloud_calls (action, region, request, answer, at) values (${action}, ${region}, ${request}, ${answer}, ${at})`;
  },
  calls: (): PromiseLike<CallLine[]> =>
    sql<CallLine[]>`select action, region, request, answer, at from cloud_calls order by id desc limit 100`,
});
