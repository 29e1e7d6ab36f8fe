/** The banks' side of the sandbox, put together. */
import type { Sql } from '@yunshi/db/connect';
import { isTestClock, type Clock } from '@yunshi/kernel/clock';
import type { Log } from '@yunshi/telemetry/log';
import type { FastifyInstance } from 'fastify';
import { armed } from '../armed.ts';
import { bankApi } from './api.ts';
import { openBook } from './book.ts';
import { bankChannel, type BankChannel } from './channel.ts';
import type { Courier } from '../courier.ts';
import { startBankCourier } from './courier.ts';
import { bankDesk, bankScripts } from './desk.ts';
import type { BankPayment } from './tables.ts';
import { ensureBankKeys } from './keys.ts';
import { bankMaintenance } from './maintenance.ts';
import type { Mishap } from './mishaps.ts';

type Options = {
  readonly sql: Sql;
  readonly keysFolder: string;
  /** Where a browser finds the pages; where the API is called, if absent. */
  readonly pageUrl: string | undefined;
  readonly refundTakesMs: number;
  readonly clock: Clock;
  readonly wall: Clock;
  readonly log: Log;
  /** Something has moved at the banks. */
  readonly onMove: () => void;
};
export type BankSide = {
  readonly plugin: (app: FastifyInstance) => Promise<void>;
  readonly channel: BankChannel;
  readonly paymentOf: (outPaymentId: string) => Promise<BankPayment | undefined>;
  readonly stop: () => Promise<void>;
};

/** More than the schedule has repetitions. */
const ALL_DELIVERIES = 99;

export async function bankSide({ sql, keysFolder, pageUrl, refundTakesMs, clock, wall, log, onMove }: Options): Promise<BankSide> {
  const keys = await ensureBankKeys(keysFolder);
  const [book, mishaps, maintenance] = [openBook(sql), armed<Mishap>(), bankMaintenance()];
  const losses = () => (mishaps.take('notice-never') ? ALL_DELIVERIES : 0);
  const wake = (): void => {
    courier.wake();
    onMove();
  };
  const channel = bankChannel({ book, clock, refundTakesMs, losses, wake });
  const courier: Courier = startBankCourier({ book, clock, wall, log, key: keys.channel, sweep: channel.sweep });
  const forget = isTestClock(clock) ? clock.onMove(courier.wake) : () => undefined;
  return {
    paymentOf: book.read.payment,
    plugin: async (app) => {
      await app.register(bankApi({ channel, keys, pageUrl, mishaps, maintenance, wall }));
      await app.register(bankDesk({ channel, book, mishaps }));
      await app.register(bankScripts({ channel, book, mishaps, maintenance }));
    },
    channel,
    stop: async () => {
      forget();
      await courier.stop();
    },
  };
}
