import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { event } from '@yunshi/contracts/define';
import type { Rows } from '@yunshi/db/rows';
import { startCore, type Core } from '@yunshi/messaging/core';
import { httpWrite, on } from '@yunshi/messaging/handle';

// One end of a line over which messages are sent: outbox → stream → inbox, and nothing else. Sender and receiver are processes of their own.

const parcelSent = event('bench.parcel-sent', 1, { data: z.object({ parcelId: z.string(), content: z.string() }) });
/** As large as the messages of a purchase are on average. */
const content = 'x'.repeat(400);

/** A handler is about rows; these are about none. */
const nothing: Rows<string, never> = { name: 'nothing', keyOf: () => '', lock: () => Promise.resolve([]), save: () => Promise.resolve() };

export type ParcelAsk =
  | { readonly do: 'open'; readonly as: 'sender' | 'receiver'; readonly databaseUrl: string; readonly natsUrl: string }
  | { readonly do: 'send'; readonly parcels: number }
  | { readonly do: 'count' }
  | { readonly do: 'close' };
/** How many were received so far. */
export type ParcelTold = { readonly received: number };

const post = httpWrite('bench.send', {
  of: nothing,
  key: (parcelId: string) => parcelId,
  decide: (parcelId) => ({ events: [parcelSent({ parcelId, content })] }),
});

/** Sent at once; a lane's queue takes more. */
const atOnceMax = 1_000;
let core: Core | undefined;
let received = 0;

const receive = on(parcelSent, {
  of: nothing,
  key: ({ parcelId }) => parcelId,
  decide: () => {
    received++;
    return {};
  },
});

async function send(parcels: number): Promise<void> {
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < parcels) await core?.write(post, `parcel ${next++}`);
  };
  await Promise.all(Array.from({ length: Math.min(parcels, atOnceMax) }, sender));
}

async function carryOut(ask: ParcelAsk): Promise<ParcelTold> {
  switch (ask.do) {
    case 'open':
      core = await startCore({
        service: `bench-${ask.as}`,
        databaseUrl: ask.databaseUrl,
        natsUrl: ask.natsUrl,
        testClock: false,
        migrations: fileURLToPath(new URL('./migrations', import.meta.url)),
        handlers: () => (ask.as === 'receiver' ? [receive] : []),
        onFault: (what, error) => console.error(what, error),
      });
      await core.run();
      break;
    case 'send':
      await send(ask.parcels);
      break;
    case 'count':
      break;
    case 'close':
      await core?.stop();
      break;
  }
  return { received };
}

process.on('message', (ask: ParcelAsk) => void carryOut(ask).then((told) => process.send?.(told)));
