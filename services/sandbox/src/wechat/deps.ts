/** What the parts of the played WeChat Pay share. */
import { randomInt } from 'node:crypto';
import { chinaTime } from '@yunshi/kernel/calendar';
import type { Clock } from '@yunshi/kernel/clock';
import type { Book } from './book.ts';
import type { Merchant } from './keys.ts';
import type { Switches } from './switches.ts';
import type { WechatNotice } from './tables.ts';

export type Deps = {
  readonly book: Book;
  readonly switches: Switches;
  readonly merchant: Merchant;
  readonly clock: Clock;
  /** How long refunds, shares and withdrawals take, business time. */
  readonly settlesMs: number;
  /** What part of a sub merchant's orders may be shared out. */
  readonly sharePercentMax: (subMchid: string) => number;
  /** Tells the courier that there is something to carry. */
  readonly wake: () => void;
};
export type Trace = { readonly traceparent: string | undefined };

export const digits = (count: number): string => Array.from({ length: count }, () => randomInt(10)).join('');

export function newNotice({ clock }: Deps, to: Pick<WechatNotice, 'about' | 'url' | 'traceparent'>, content: object) {
  const now = clock.now();
  const id = `EV-${chinaTime(now).replace(/\D/g, '').slice(0, 14)}${digits(15)}`;
  const fresh = {
    attempts: 0,
    leaseUntil: null,
    losses: 0,
    probe: false,
    probeAccepted: false,
    state: 'waiting' as const,
    lastAnswer: null,
  };
  return { ...to, ...fresh, id, content: JSON.stringify(content), createdAt: now, nextAt: now };
}
