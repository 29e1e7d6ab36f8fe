/** The WeChat side of the sandbox, put together. */
import type { Sql } from '@yunshi/db/connect';
import { isTestClock, type Clock } from '@yunshi/kernel/clock';
import { apiV3Key } from '@yunshi/protocols/wechat/seal';
import type { FastifyInstance } from 'fastify';
import type { Log } from '@yunshi/telemetry/log';
import { wechatApi } from './api.ts';
import { billingSide } from './billing.ts';
import { openBook } from './book.ts';
import { openCabinet } from './cabinet.ts';
import { startCourier, type Courier } from './courier.ts';
import { ensureKeys } from './keys.ts';
import { payerPages, payerScripts } from './payer.ts';
import { USUAL_SHARE_PERCENT } from './share.ts';
import { openSwitches } from './switches.ts';
import { wechatPay } from './wechat-pay.ts';

type Options = {
  readonly sql: Sql;
  readonly keysFolder: string;
  readonly refundTakesMs: number;
  /** Sub merchants all of whose orders' money may be shared out, as WeChat Pay has agreed. */
  readonly sharingAll?: readonly string[];
  readonly clock: Clock;
  readonly wall: Clock;
  readonly log: Log;
};

export type WechatSide = {
  /** Adds `/v3/…`, `/pay/…` and `/sandbox/wechat/…`. */
  readonly plugin: (app: FastifyInstance) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export async function wechatSide({ sql, keysFolder, refundTakesMs, sharingAll = [], clock, wall, log }: Options): Promise<WechatSide> {
  const cabinet = openCabinet(keysFolder, await ensureKeys(keysFolder, wall.now()));
  const { merchant } = cabinet.keys();
  const [book, switches] = [openBook(sql), await openSwitches(sql, (error) => log.error({ err: error }, 'switches'))];
  const sharePercentMax = (subMchid: string): number => (sharingAll.includes(subMchid) ? 100 : USUAL_SHARE_PERCENT);
  const pay = wechatPay({ book, switches, merchant, clock, settlesMs: refundTakesMs, sharePercentMax, wake: () => courier.wake() });
  const bills = billingSide({ book, merchant, clock, wall, merchantKey: () => cabinet.keys().merchantPublicKey });
  const courier: Courier = startCourier({
    book,
    clock,
    wall,
    log,
    settle: pay.settle,
    settleFunds: pay.settleFunds,
    keyFor: cabinet.callbackKey,
    apiV3Key: apiV3Key(merchant.apiv3_key),
  });
  const forget = isTestClock(clock) ? clock.onMove(courier.wake) : () => undefined;
  return {
    plugin: async (app) => {
      await app.register(wechatApi({ pay, bills, cabinet, switches, wall }));
      await app.register(payerPages({ pay, book, cabinet, switches, clock, wall }));
      await app.register(payerScripts({ pay, book, cabinet, switches, clock, wall }));
    },
    stop: async () => {
      forget();
      await courier.stop();
      await switches.written();
    },
  };
}
