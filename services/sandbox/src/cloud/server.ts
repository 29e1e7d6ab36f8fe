import { addDays, addMonths } from '@yunshi/kernel/calendar';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { CloudServer } from './tables.ts';

/** The life of a played server, as time passes over it: pure. */

export type State = 'PENDING' | 'LAUNCH_FAILED' | 'RUNNING' | 'STOPPED' | 'STARTING' | 'STOPPING' | 'REBOOTING' | 'SHUTDOWN' | 'TERMINATED';

/** Made in three to five minutes: how long exactly follows from the id. */
export const makingMs = (serverId: string): number => 180_000 + (spread(serverId) % 121) * 1_000;
const takesMs = { StartInstances: 15_000, StopInstances: 20_000, ResetInstance: 60_000 } as const;
export type Operation = keyof typeof takesMs;
/** In the recycle bin 回收站, until it is destroyed. */
const binDays = 7;

const working = { StartInstances: 'STARTING', StopInstances: 'STOPPING', ResetInstance: 'REBOOTING', RunInstances: 'PENDING' } as const;

export function stateOf(server: CloudServer, now: Date): State {
  const { readyAt, launch, power, operation, operationEndsAt, expiresAt, returnedAt, destroyedAt } = server;
  if (destroyedAt !== null || addDays(expiresAt, binDays) <= now || (returnedAt !== null && addDays(returnedAt, binDays) <= now))
    return 'TERMINATED';
  if (now < readyAt) return 'PENDING';
  if (launch === 'fails') return 'LAUNCH_FAILED';
  if (returnedAt !== null || expiresAt <= now) return 'SHUTDOWN';
  if (now < operationEndsAt) return working[operation];
  return power === 'on' ? 'RUNNING' : 'STOPPED';
}

export const isWorking = (server: CloudServer, now: Date): boolean =>
  !['TERMINATED', 'SHUTDOWN', 'LAUNCH_FAILED'].includes(stateOf(server, now)) && now < server.operationEndsAt;

const from: Readonly<Record<Operation, readonly State[]>> = {
  StartInstances: ['STOPPED'],
  StopInstances: ['RUNNING'],
  ResetInstance: ['RUNNING', 'STOPPED'],
};
const refusedIn: Readonly<Partial<Record<State, string>>> = {
  PENDING: 'UnsupportedOperation.InstanceStatePending',
  LAUNCH_FAILED: 'UnsupportedOperation.InstanceStateLaunchFailed',
  RUNNING: 'UnsupportedOperation.InstanceStateRunning',
  STOPPED: 'UnsupportedOperation.InstanceStateStopped',
  STARTING: 'UnsupportedOperation.InstanceStateStarting',
  STOPPING: 'UnsupportedOperation.InstanceStateStopping',
  REBOOTING: 'UnsupportedOperation.InstanceStateRebooting',
  SHUTDOWN: 'UnsupportedOperation.InstanceStateShutdown',
};
const refuse = (state: State) => no(refusedIn[state] ?? 'InvalidInstanceId.NotFound');

type Reset = {
  readonly imageId?: string;
  readonly password?: string | null;
  readonly userData?: string | null;
  readonly hostName?: string;
};

export function operate(server: CloudServer, operation: Operation, now: Date, reset: Reset = {}): Result<CloudServer, string> {
  const state = stateOf(server, now);
  if (!from[operation].includes(state)) return refuse(state);
  const power = operation === 'StopInstances' ? 'off' : 'on';
  return ok({ ...server, ...reset, power, operation, operationEndsAt: new Date(now.getTime() + takesMs[operation]) });
}

/** The first time it goes into the recycle bin, the second time it is destroyed. What never ran is destroyed at once. */
export function terminate(server: CloudServer, now: Date): Result<CloudServer, string> {
  switch (stateOf(server, now)) {
    case 'TERMINATED':
      return refuse('TERMINATED');
    case 'PENDING':
      return refuse('PENDING');
    case 'SHUTDOWN':
    case 'LAUNCH_FAILED':
      return ok({ ...server, destroyedAt: now });
    default:
      return ok({ ...server, returnedAt: now, power: 'off' });
  }
}

export function renew(server: CloudServer, months: number, price: number, now: Date): Result<CloudServer, string> {
  const state = stateOf(server, now);
  if (state !== 'RUNNING' && state !== 'STOPPED') return refuse(state);
  return ok({ ...server, expiresAt: addMonths(server.expiresAt, months), paid: server.paid + price });
}

/** A small number that looks random but is the text's own. */
export const spread = (text: string): number => [...text].reduce((sum, sign) => (sum * 31 + (sign.codePointAt(0) ?? 0)) % 1_000_003, 7);
