/** The banks' side of the sandbox, put together. */
import type { Sql } from '@yunshi/db/connect';
import { isTestClock, type Clock } from '@yunshi/kernel/clock';
import type { Log } from '@yunshi/telemetry/log';
import type { FastifyInstance } from 'fastify';
import { bankApi } from './api.ts';
import { openBook } from './book.ts';
import { bankChannel } from './channel.ts';
import { startCourier, type Courier } from './courier.ts';
import { bankDesk, bankScripts } from './desk.ts';
import { ensureBankKeys } from './keys.ts';
import { mishaps as noMishaps } from './mishaps.ts';

type Options = {
  readonly sql: Sql;
  readonly keysFolder: string;
  /** Where a browser finds the pages; where the API is called, if absent. */
  readonly pageUrl: string | undefined;
  readonly refundTakesMs: number;
  readonly clock: Clock;
  readonly wall: Clock;
  readonly log: Log;
};
export type BankSide = { readonly plugin: (app: FastifyInstance) => Promise<void>; readonly stop: () => Promise<void> };

/** More than the schedule has repetitions. */
const ALL_DELIVERIES = 99;

export async function bankSide({ sql, keysFolder, pageUrl, refundTakesMs, clock, wall, log }: Options): Promise<BankSide> {
  const keys = await ensureBankKeys(keysFolder);
  const [book, mishaps] = [openBook(sql), noMishaps()];
  const losses = () => (mishaps.take('notice-never') ? ALL_DELIVERIES : 0);
  const channel = bankChannel({ book, clock, refundTakesMs, losses, wake: () => courier.wake() });
  const courier: Courier = startCourier({ book, clock, wall, log, key: keys.channel, sweep: channel.sweep });
  const forget = isTestClock(clock) ? clock.onMove(courier.wake) : () => undefined;
  return {
    plugin: async (app) => {
      await app.register(bankApi({ channel, keys, pageUrl, mishaps, wall }));
      await app.register(bankDesk({ channel, book, mishaps }));
      await app.register(bankScripts({ channel, book, mishaps }));
    },
    stop: async () => {
      forget();
      await courier.stop();
    },
  };
}
