import type { priceServer, ServerField } from '@yunshi/contracts/fulfillment';
import type { Line } from '@yunshi/kernel/marketplace';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { ServerConfiguration } from '@yunshi/kernel/server';
import type { z } from 'zod';
import type { Wish } from './quote.ts';

/** The cloud server under an image 镜像, which the marketplace itself sells: a new one as it was configured, or one more period of one that is there. */
export type ServerSale = {
  readonly configuration: ServerConfiguration | null;
  /** The machine with its disks, and the bandwidth, for all of the period. */
  readonly machine: Fen;
  readonly bandwidth: Fen;
};

/** What the cloud says that it costs, or why it cannot be had. */
export type ServerPrice = z.output<(typeof priceServer)['answer']>;

export type ServerRefusal =
  | { readonly code: 'server-not-configured'; readonly field: 'server' }
  | { readonly code: 'server-not-wanted'; readonly field: 'server' }
  | { readonly code: 'servers-not-offered'; readonly field: 'sku_id' }
  | {
      readonly code: 'server-choice-not-offered';
      readonly field: `server/${string}` | 'duration';
      readonly reason: 'not-offered' | 'sold-out' | 'paid-after-use';
      readonly offered: readonly string[];
    };

export const serverAmountOf = (server: ServerSale | null): Fen => (server === null ? 0 : server.machine + server.bandwidth);

/** Whether the cloud is to be asked for a price. */
export const needsServer = ({ deliveryType }: Pick<Line, 'deliveryType'>, { server, renews }: Wish): boolean =>
  deliveryType === 'image' && (server !== undefined || renews !== undefined);

/** The server that goes with what is bought: with an image always, with anything else never. */
export function serverFor(
  wish: Wish,
  { deliveryType }: Pick<Line, 'deliveryType'>,
  told: ServerPrice | undefined,
): Result<ServerSale | null, ServerRefusal> {
  const { server, renews } = wish;
  if (server !== undefined && (deliveryType !== 'image' || renews !== undefined)) return no({ code: 'server-not-wanted', field: 'server' });
  if (deliveryType !== 'image') return ok(null);
  if (!needsServer({ deliveryType }, wish)) return no({ code: 'server-not-configured', field: 'server' });
  if (told === undefined || told.result === 'not-offered') return no({ code: 'servers-not-offered', field: 'sku_id' });
  if (told.result === 'refused') {
    const { field, reason, offered } = told;
    return no({ code: 'server-choice-not-offered', field: fieldOf(field), reason, offered });
  }
  return ok({ configuration: server ?? null, machine: told.machine, bandwidth: told.bandwidth });
}

const fieldOf = (field: z.output<typeof ServerField>) => (field === 'duration' ? field : (`server/${field}` as const));
