/** Carries notices to the platform, and has time do what only time does, by the business clock. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '@yunshi/kernel/clock';
import { signAnswer, type ChannelKey } from '@yunshi/protocols/mse-pay/signature';
import { NOTICE_RETRY_MS, NOTICE_TIMEOUT_MS } from '@yunshi/protocols/wechat/notice';
import type { Log } from '@yunshi/telemetry/log';
import { withRemoteParent } from '@yunshi/telemetry/trace';
import { request } from 'undici';
import type { Book } from './book.ts';
import type { BankNotice } from './tables.ts';

const LOOK_AGAIN_MS = 500;

type Deps = {
  readonly book: Book;
  readonly clock: Clock;
  readonly wall: Clock;
  readonly key: ChannelKey;
  readonly sweep: () => Promise<void>;
  readonly log: Log;
};
export type Courier = { readonly wake: () => void; readonly stop: () => Promise<void> };

/**
 * 200 and 204 accept a notice; anything else has it sent again by WeChat Pay's schedule. That schedule, the five seconds and what accepts are
 * our own choice: what the real 商企付 does is not documented.
 */
export function startCourier(deps: Deps): Courier {
  const { book, clock, log, sweep } = deps;
  const stopped = new AbortController();
  let alarm = new AbortController();
  const round = async (): Promise<void> => {
    await sweep();
    const notices = await book.claimNotices(clock.now());
    await Promise.all(notices.map(async (notice) => book.recordDelivery(await delivered(notice, deps))));
  };
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      alarm = new AbortController();
      await round().catch((error: unknown) => log.error({ err: error }, 'the bank’s courier could not do its round'));
      await pause(LOOK_AGAIN_MS, undefined, { signal: AbortSignal.any([alarm.signal, stopped.signal]) }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    wake: () => alarm.abort(),
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}

async function delivered(notice: BankNotice, deps: Deps): Promise<BankNotice> {
  const lost = notice.losses > 0;
  const answer = lost ? 'lost on the way' : await withRemoteParent(notice.traceparent ?? undefined, () => send(notice, deps));
  const tried = { ...notice, attempts: notice.attempts + 1, losses: Math.max(notice.losses - 1, 0), lastAnswer: String(answer) };
  if (answer === 200 || answer === 204) return { ...tried, nextAt: null };
  const waitMs = NOTICE_RETRY_MS[notice.attempts];
  return { ...tried, nextAt: waitMs === undefined ? null : new Date(deps.clock.now().getTime() + waitMs) };
}

/** @returns the HTTP status, or what went wrong on the way */
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
