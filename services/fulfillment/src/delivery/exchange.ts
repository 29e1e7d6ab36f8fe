import type { Answer } from '@yunshi/protocols/egress';
import type { Exchange } from './request.ts';
import { redactAnswer } from './redact.ts';

/** What every dialect does with an answer: keeps it for the log, and judges the transport. */

const loggedCharsMax = 4_000;

/** `sent` holds no token and no signature any more. */
export function exchangeOf(answer: Answer, sent: { readonly at: Date; readonly url: string; readonly request: string }): Exchange {
  const heard =
    answer.kind === 'answered'
      ? { httpStatus: answer.status, answer: redactAnswer(answer.body).slice(0, loggedCharsMax) }
      : { note: answer.kind === 'forbidden' ? `not sent: ${answer.detail}` : `${answer.failure}: ${answer.detail}` };
  return {
    url: sent.url,
    request: sent.request,
    ...heard,
    performedAt: sent.at.toISOString(),
    durationMs: answer.kind === 'forbidden' ? 0 : answer.ms,
  };
}

export type Read = { readonly ok: true; readonly body: string } | { readonly ok: false; readonly sent: boolean; readonly note?: string };

/** The body of an answer that is worth reading. */
export function bodyOf(answer: Answer): Read {
  if (answer.kind === 'forbidden') return { ok: false, sent: false };
  if (answer.kind === 'failed') return { ok: false, sent: answer.sent };
  if (answer.status < 200 || answer.status >= 300) return { ok: false, sent: true, note: `HTTP ${answer.status}` };
  return { ok: true, body: answer.body };
}
