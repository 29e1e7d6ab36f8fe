import type { Instance, Outcome, Task } from '../instance/instance.ts';
import type { Exchange, ProviderRequest } from './request.ts';

/** One line of the delivery log 交付日志: a call that is to be made, or was made. */
export type ProviderCall = {
  callId: string;
  instanceId: Instance['instanceId'];
  orderId: Instance['orderId'];
  accountId: Instance['accountId'];
  providerId: Instance['providerId'];
  productId: Instance['productId'];
  action: Task;
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

export function intended(request: ProviderRequest): ProviderCall {
  return {
    callId: callIdOf(request.instanceId, request.seq),
    instanceId: request.instanceId,
    orderId: request.orderId,
    accountId: request.accountId,
    providerId: request.providerId,
    productId: request.productId,
    action: request.task,
    attempt: request.attempt,
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
  };
}

const states = { delivered: 'succeeded', agreed: 'succeeded', pending: 'pending', declined: 'declined', failed: 'failed' } as const;

export function performed(request: ProviderRequest, outcome: Outcome, exchange: Exchange, givenUp: boolean): ProviderCall {
  return {
    ...intended(request),
    state: states[outcome.kind],
    givenUp,
    performedAt: new Date(exchange.performedAt),
    durationMs: exchange.durationMs,
    url: exchange.url ?? null,
    request: exchange.request ?? null,
    httpStatus: exchange.httpStatus ?? null,
    answer: exchange.answer ?? null,
    note: exchange.note ?? null,
  };
}

/** Out of the list of what is to be re-driven: another call is made in its place, or what it was for is no longer wanted. */
export const redriven = (call: ProviderCall, by: string | null, now: Date): ProviderCall => ({
  ...call,
  givenUp: false,
  redrivenBy: by,
  redrivenAt: now,
});
