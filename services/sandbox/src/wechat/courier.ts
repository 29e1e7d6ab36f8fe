/** Carries callbacks to the merchant and ends refunds when their time has come, by the business clock. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { chinaTime } from '@yunshi/kernel/calendar';
import type { Clock } from '@yunshi/kernel/clock';
import { answerHeaders, probeSignature, type AnswerKey } from '@yunshi/protocols/wechat/answer-signature';
import { NOTICE_RETRY_MS, NOTICE_TIMEOUT_MS, type Notice } from '@yunshi/protocols/wechat/notice';
import { seal } from '@yunshi/protocols/wechat/seal';
import type { Log } from '@yunshi/telemetry/log';
import { withRemoteParent } from '@yunshi/telemetry/trace';
import { request, type Dispatcher } from 'undici';
import type { Book } from './book.ts';
import type { WechatNotice, WechatRefund } from './tables.ts';

const IN_HAND_MAX = 64;
const REFUNDS_PER_ROUND = 64;
/** Another process of the sandbox may have written something that no one woke us for. */
const LOOK_AGAIN_MS = 1_000;
/** What keeps failing must not keep the processor busy; and callbacks that come close together are taken and recorded together. */
const BREATHER_MS = 5;

type Deps = {
  readonly book: Book;
  readonly clock: Clock;
  readonly wall: Clock;
  readonly apiV3Key: Buffer;
  /** Which key signs callbacks about this number. */
  readonly keyFor: (about: string) => AnswerKey;
  readonly settle: (refund: WechatRefund) => Promise<void>;
  /** Ends shares and withdrawals whose time has come. */
  readonly settleFunds: (max: number) => Promise<void>;
  readonly log: Log;
};

export type Courier = { readonly wake: () => void; readonly stop: () => Promise<void> };

export function startCourier(deps: Deps): Courier {
  const { book, clock, log } = deps;
  const inHand = new Set<Promise<void>>();
  const stopped = new AbortController();
  let alarm = new AbortController();
  const wake = () => alarm.abort();

  const round = async (): Promise<void> => {
    for (const refund of await book.refundsToSettle(clock.now(), REFUNDS_PER_ROUND)) await deps.settle(refund);
    await deps.settleFunds(REFUNDS_PER_ROUND);
    for (const notice of await book.claimNotices(clock.now(), IN_HAND_MAX - inHand.size)) {
      // The callback goes on in the trace that the order was placed in: one purchase, one trace.
      const errand = withRemoteParent(notice.traceparent ?? undefined, () => deliver(notice, deps))
        .then(async (delivered) => {
          await book.recordDelivery(delivered);
          return delivered.nextAt === null;
        })
        .catch((error: unknown) => {
          log.error({ err: error, notice: notice.id }, 'a callback could not be recorded; it is sent again when its lease ends');
          return false;
        })
        .then((isOver) => {
          const madeRoom = inHand.size >= IN_HAND_MAX;
          inHand.delete(errand);
          // One that is over leaves nothing to look for, unless others wait for its place.
          if (!isOver || madeRoom) wake();
        });
      inHand.add(errand);
    }
  };

  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      alarm = new AbortController();
      await round().catch((error: unknown) => log.error({ err: error }, 'the courier could not look for work'));
      const dueAt = await book.nextDueAt().catch(() => undefined);
      const waitMs = dueAt ? dueAt.getTime() - clock.now().getTime() : LOOK_AGAIN_MS;
      const ms = inHand.size >= IN_HAND_MAX ? LOOK_AGAIN_MS : Math.min(Math.max(waitMs, 0), LOOK_AGAIN_MS);
      await pause(ms, undefined, { signal: AbortSignal.any([alarm.signal, stopped.signal]) }).catch(() => undefined);
      await pause(BREATHER_MS);
    }
  };
  const running = run();

  return {
    wake,
    stop: async () => {
      stopped.abort();
      await running;
      await Promise.allSettled(inHand);
    },
  };
}

/** One delivery, and what it did to the notice. 200 and 204 are acceptance, whatever the body says. */
async function deliver(notice: WechatNotice, deps: Deps): Promise<WechatNotice> {
  if (notice.losses > 0) return later({ ...notice, losses: notice.losses - 1, lastAnswer: 'lost on the way' }, deps.clock.now());
  const probeAccepted = notice.probe && notice.attempts === 0 ? isAcceptance(await send(notice, deps, 'probe')) : notice.probeAccepted;
  if (probeAccepted) deps.log.warn({ about: notice.about }, 'the merchant accepted a callback with a wrong signature');
  const answer = await send(notice, deps, 'real');
  const told = { ...notice, probeAccepted, lastAnswer: String(answer) };
  if (!isAcceptance(answer)) return later(told, deps.clock.now());
  return { ...told, attempts: notice.attempts + 1, nextAt: null, state: 'accepted' };
}

const isAcceptance = (answer: number | string): boolean => answer === 200 || answer === 204;

function later(notice: WechatNotice, now: Date): WechatNotice {
  const waitMs = NOTICE_RETRY_MS[notice.attempts];
  const attempts = notice.attempts + 1;
  if (waitMs === undefined) return { ...notice, attempts, nextAt: null, state: 'given-up' };
  return { ...notice, attempts, nextAt: new Date(now.getTime() + waitMs) };
}

/** @returns the HTTP status, or what went wrong on the way */
async function send(notice: WechatNotice, { wall, apiV3Key, keyFor }: Deps, kind: 'real' | 'probe'): Promise<number | string> {
  const body = JSON.stringify(envelope(notice, apiV3Key));
  const signed = answerHeaders(body, keyFor(notice.about), { wallMs: wall.now().getTime(), nonce: randomBytes(16).toString('hex') });
  const headers = {
    ...signed,
    ...(kind === 'probe' ? { 'wechatpay-signature': probeSignature(randomBytes(237)) } : {}),
    'content-type': 'application/json',
    'user-agent': 'Mozilla/4.0',
  };
  const limits: Partial<Dispatcher.RequestOptions> = { headersTimeout: NOTICE_TIMEOUT_MS, bodyTimeout: NOTICE_TIMEOUT_MS };
  try {
    const answer = await request(notice.url, { method: 'POST', headers, body, signal: AbortSignal.timeout(NOTICE_TIMEOUT_MS), ...limits });
    await answer.body.dump();
    return answer.statusCode;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function envelope(notice: WechatNotice, key: Buffer): Notice {
  return {
    id: notice.id,
    create_time: chinaTime(notice.createdAt),
    resource_type: 'encrypt-resource',
    event_type: notice.eventType,
    summary: notice.summary,
    resource: { original_type: notice.originalType, ...seal(notice.content, key, randomBytes(6).toString('hex'), notice.originalType) },
  };
}
