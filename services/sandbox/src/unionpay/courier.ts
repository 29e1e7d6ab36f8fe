import type { Clock } from '@yunshi/kernel/clock';
import { writeForm } from '@yunshi/protocols/unionpay/message';
import { signAnswer } from '@yunshi/protocols/unionpay/signature';
import { NOTICE_RETRY_MS, NOTICE_TIMEOUT_MS } from '@yunshi/protocols/unionpay/trade';
import type { Log } from '@yunshi/telemetry/log';
import { request } from 'undici';
import { startCourier, type Courier } from '../courier.ts';
import type { Book } from './book.ts';
import type { UnionpaySigning } from './keys.ts';
import type { UnionpayNotice } from './tables.ts';

type Deps = {
  readonly book: Book;
  readonly clock: Clock;
  readonly signing: () => UnionpaySigning;
  readonly sweep: () => Promise<void>;
  readonly log: Log;
};

/** 200 and 302 accept a notice; anything else has it sent again, five times in all. */
export const startUnionpayCourier = (deps: Deps): Courier =>
  startCourier<UnionpayNotice>({
    ...deps,
    claim: deps.book.claimNotices,
    record: deps.book.recordDelivery,
    send: (notice) => send(notice, deps),
    accepts: [200, 302],
    retryMs: NOTICE_RETRY_MS,
  });

async function send({ url, fields }: UnionpayNotice, { signing }: Deps): Promise<number | string> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
  const body = writeForm(signAnswer(fields, signing()));
  try {
    const answer = await request(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(NOTICE_TIMEOUT_MS) });
    await answer.body.dump();
    return answer.statusCode;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
