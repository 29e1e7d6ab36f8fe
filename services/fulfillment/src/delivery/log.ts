import type { Instance, Outcome, Task } from '../instance/instance.ts';
import type { Exchange, ProviderRequest } from './request.ts';

/** What providers of metered products are asked beside what delivers. */
export const meteringActions = ['query-usage', 'set-usage-reminder'] as const;
export type MeteringAction = (typeof meteringActions)[number];
export type LogAction = Task | MeteringAction;

/** One line of the delivery log 交付日志: a call that is to be made, or was made. */
export type ProviderCall = {
  callId: string;
  instanceId: Instance['instanceId'];
  orderId: Instance['orderId'];
  accountId: Instance['accountId'];
  providerId: Instance['providerId'];
  productId: Instance['productId'];
  action: LogAction;
  attempt: number;
  state: 'waiting' | 'succeeded' | 'pending' | 'declined' | 'failed';
  givenUp: boolean;
  redrivenBy: string | null;
  redrivenAt: Date | null;
  createdAt: Date;
  dueAt: Date;
  performedAt: Date | null;
  durationMs: number | null;
  url: string | null;
  request: string | null;
  httpStatus: number | null;
  answer: string | null;
  note: string | null;
};

/** `dlc_`, the instance's digits, and the number of the call in the instance's life. */
export const callIdOf = (instanceId: string, seq: number): string => `dlc_${instanceId.slice(4)}-${seq}`;

/** Calls about usage are numbered by themselves. */
export const meteringCallIdOf = (instanceId: string, seq: number): string => `dlc_${instanceId.slice(4)}-u${seq}`;

type Said = Pick<ProviderRequest, 'instanceId' | 'orderId' | 'accountId' | 'providerId' | 'productId' | 'createdAt' | 'dueAt'>;

const waiting = (callId: string, action: LogAction, attempt: number, request: Said): ProviderCall => ({
  callId,
  instanceId: request.instanceId,
  orderId: request.orderId,
  accountId: request.accountId,
  providerId: request.providerId,
  productId: request.productId,
  action,
  attempt,
  state: 'waiting',
  givenUp: false,
  redrivenBy: null,
  redrivenAt: null,
  createdAt: new Date(request.createdAt),
  dueAt: new Date(request.dueAt),
  performedAt: null,
  durationMs: null,
  url: null,
  request: null,
  httpStatus: null,
  answer: null,
  note: null,
});

const exchanged = (exchange: Exchange): Partial<ProviderCall> => ({
  performedAt: new Date(exchange.performedAt),
  durationMs: exchange.durationMs,
  url: exchange.url ?? null,
  request: exchange.request ?? null,
  httpStatus: exchange.httpStatus ?? null,
  answer: exchange.answer ?? null,
  note: exchange.note ?? null,
});

export const intended = (request: ProviderRequest): ProviderCall =>
  waiting(callIdOf(request.instanceId, request.seq), request.task, request.attempt, request);

const states = { delivered: 'succeeded', agreed: 'succeeded', pending: 'pending', declined: 'declined', failed: 'failed' } as const;

export const performed = (request: ProviderRequest, outcome: Outcome, exchange: Exchange, givenUp: boolean): ProviderCall => ({
  ...intended(request),
  ...exchanged(exchange),
  state: states[outcome.kind],
  givenUp,
});

type Metering = Said & { readonly action: MeteringAction; readonly seq: number };

export const meteringAsked = (request: Metering): ProviderCall =>
  waiting(meteringCallIdOf(request.instanceId, request.seq), request.action, 1, request);

/** Nobody re-drives it: who still wants to know looks again. */
export const meteringPerformed = (request: Metering, outcome: 'told' | 'declined' | 'failed', exchange: Exchange): ProviderCall => ({
  ...meteringAsked(request),
  ...exchanged(exchange),
  state: outcome === 'told' ? 'succeeded' : outcome,
});

/** Out of the list of what is to be re-driven: another call is made in its place, or what it was for is no longer wanted. */
export const redriven = (call: ProviderCall, by: string | null, now: Date): ProviderCall => ({
  ...call,
  givenUp: false,
  redrivenBy: by,
  redrivenAt: now,
});
