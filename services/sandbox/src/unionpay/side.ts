/** UnionPay's side of the sandbox, put together. */
import type { Sql } from '@yunshi/db/connect';
import { isTestClock, type Clock } from '@yunshi/kernel/clock';
import type { Log } from '@yunshi/telemetry/log';
import type { FastifyInstance } from 'fastify';
import { armed } from '../armed.ts';
import type { BankSide } from '../bank/side.ts';
import type { Courier } from '../courier.ts';
import { unionpayApi } from './api.ts';
import { openBook } from './book.ts';
import { startUnionpayCourier } from './courier.ts';
import { unionpayGateway } from './gateway.ts';
import { ensureUnionpayKeys } from './keys.ts';
import type { Mishap } from './mishaps.ts';
import { unionpayScripts } from './scripts.ts';

type Options = {
  readonly sql: Sql;
  /** The banks that collect for it. */
  readonly bank: Pick<BankSide, 'channel' | 'paymentOf'>;
  readonly keysFolder: string;
  /** Where a browser finds the pages; where the API is called, if absent. */
  readonly pageUrl: string | undefined;
  readonly refundTakesMs: number;
  readonly clock: Clock;
  readonly wall: Clock;
  readonly log: Log;
};
export type UnionpaySide = {
  readonly plugin: (app: FastifyInstance) => Promise<void>;
  /** Something has moved at the banks. */
  readonly wake: () => void;
  readonly stop: () => Promise<void>;
};

/** More than the schedule has repetitions. */
const ALL_DELIVERIES = 99;

export async function unionpaySide({ sql, bank, keysFolder, pageUrl, refundTakesMs, clock, wall, log }: Options): Promise<UnionpaySide> {
  const folder = await ensureUnionpayKeys(keysFolder, wall.now());
  const [book, mishaps] = [openBook(sql), armed<Mishap>()];
  const losses = () => (mishaps.take('notice-never') ? ALL_DELIVERIES : mishaps.take('notice-lost') ? 1 : 0);
  const refundFails = () => mishaps.take('refund-fails');
  const gateway = unionpayGateway({ book, bank: bank.channel, bankPayment: bank.paymentOf, clock, refundTakesMs, refundFails, losses });
  const courier: Courier = startUnionpayCourier({ book, clock, log, signing: folder.signing, sweep: gateway.sweep });
  const forget = isTestClock(clock) ? clock.onMove(courier.wake) : () => undefined;
  return {
    plugin: async (app) => {
      await app.register(unionpayApi({ gateway, folder, pageUrl, mishaps }));
      await app.register(unionpayScripts({ book, folder, mishaps, wall }));
    },
    wake: courier.wake,
    stop: async () => {
      forget();
      await courier.stop();
    },
  };
}
