import { randomBytes } from 'node:crypto';
import type { Clock } from '@yunshi/kernel/clock';
import { signAnswer, type ChannelKey } from '@yunshi/protocols/mse-pay/signature';
import { NOTICE_RETRY_MS, NOTICE_TIMEOUT_MS } from '@yunshi/protocols/wechat/notice';
import type { Log } from '@yunshi/telemetry/log';
import { request } from 'undici';
import { startCourier, type Courier } from '../courier.ts';
import type { Book } from './book.ts';
import type { BankNotice } from './tables.ts';

type Deps = {
  readonly book: Book;
  readonly clock: Clock;
  readonly wall: Clock;
  readonly key: ChannelKey;
  readonly sweep: () => Promise<void>;
  readonly log: Log;
};

/**
 * 200 and 204 accept a notice; anything else has it sent again by WeChat Pay's schedule. That schedule, the five seconds and what accepts are
 * our own choice: what the real 商企付 does is not documented.
 */
export const startBankCourier = (deps: Deps): Courier =>
  startCourier<BankNotice>({
    ...deps,
    claim: deps.book.claimNotices,
    record: deps.book.recordDelivery,
    send: (notice) => send(notice, deps),
    accepts: [200, 204],
    retryMs: NOTICE_RETRY_MS,
  });

async function send({ url, body }: BankNotice, { wall, key }: Deps): Promise<number | string> {
  const signature = signAnswer(body, key, { wallMs: wall.now().getTime(), nonce: randomBytes(16).toString('hex') });
  // The two official readers look for it in different headers: both get it.
  const headers = { 'tbep-authorization': signature, authorization: signature, 'content-type': 'application/json' };
  try {
    const answer = await request(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(NOTICE_TIMEOUT_MS) });
    await answer.body.dump();
    return answer.statusCode;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
