import { randomBytes } from 'node:crypto';
import type { Sql } from '@yunshi/db/connect';
import { databaseUrl, provision } from '@yunshi/local/provision';
import { until } from '@yunshi/testing/until';
import type { ParcelAsk, ParcelTold } from './parcel-post.ts';
import { startWorker } from './worker.ts';

const ends = ['sender', 'receiver'] as const;
const receivedWithinMs = 60_000;

/** Messages a second from one process through its outbox, the stream and the inbox of another, with nothing else to do. */
export async function measureParcels(
  sql: Sql,
  { adminUrl, natsUrl, parcels }: { readonly adminUrl: string; readonly natsUrl: string; readonly parcels: number },
): Promise<number> {
  const roles = ends.map((end) => ({ role: `bench_${end}`, password: randomBytes(12).toString('hex') }));
  const database = new URL(adminUrl).pathname.slice(1);
  await provision(adminUrl, database, roles);
  const [sender, receiver] = ends.map(() => startWorker<ParcelAsk, ParcelTold>(new URL('./parcel-post.ts', import.meta.url)));
  try {
    for (const [nth, end] of [sender, receiver].entries())
      await end!.ask({ do: 'open', as: ends[nth]!, databaseUrl: databaseUrl(adminUrl, database, roles[nth]!), natsUrl });
    // The first ones find everything cold.
    await sender!.ask({ do: 'send', parcels: 1_000 });
    const received = async (count: number) =>
      until(async () => (await receiver!.ask({ do: 'count' })).received >= count, { within: receivedWithinMs, every: 25 });
    await received(1_000);
    const startMs = performance.now();
    await sender!.ask({ do: 'send', parcels });
    await received(1_000 + parcels);
    const perS = Math.round((parcels * 1_000) / (performance.now() - startMs));
    for (const end of [sender, receiver]) await end!.ask({ do: 'close' });
    const [kept] = await sql<{ n: number }[]>`select count(*) as n from bench_receiver.inbox`;
    if (kept?.n !== parcels + 1_000) throw new Error(`${parcels + 1_000} messages were sent, ${kept?.n} are in the inbox`);
    return perS;
  } finally {
    await Promise.all([sender!.stop(), receiver!.stop()]);
  }
}
