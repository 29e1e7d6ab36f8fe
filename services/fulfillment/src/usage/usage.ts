import type { InstanceId } from '@yunshi/kernel/ids';
import type { Flow, FlowUnit } from '@yunshi/kernel/marketplace';
import { no, ok } from '@yunshi/kernel/result';
import type { Result } from '@yunshi/kernel/result';
import type { Instance } from '../instance/instance.ts';
import { kindNameOf } from '../instance/kinds.ts';
import { usagePolicy } from './policy.ts';

/**
 * What a metered instance 计量类 has used, as its provider counts it. The provider is asked by calls of their own, numbered apart from those
 * that deliver: a question must never take the stead of a renewal that waits.
 */

export type Usage = {
  instanceId: InstanceId;
  callSeq: number;
  /** The last figures that were told, and when; all null until there are any. */
  total: string | null;
  used: string | null;
  unit: FlowUnit | null;
  asOf: Date | null;
  askedAt: Date | null;
  /** Why the figures are not newer, if the provider was asked since. */
  trouble: Trouble | null;
  query: Asking | null;
  setting: ReminderSetting | null;
  reminder: ReminderSetting | null;
  refused: (ReminderSetting & Trouble) | null;
  /** The newest first. */
  reminders: readonly Reminder[];
};

/** A call that is on its way. Times here are RFC 3339, because they are kept as JSON. */
export type Asking = { readonly seq: number; readonly since: string };
/** `info`: why, in the provider's own words. */
export type Trouble = { readonly kind: 'declined' | 'failed'; readonly at: string; readonly info?: string };
/** That the provider is to warn when no more than this is left, or is not to warn any more. */
export type Alert = { readonly on: boolean; readonly span: string; readonly unit: FlowUnit };
export type ReminderSetting = Alert & Asking;
/** A FlowProductRemind of the provider. */
export type Reminder = {
  readonly flowId: string;
  readonly total: string;
  readonly left: string;
  readonly unit: FlowUnit;
  readonly at: string;
  /** Wall time, which signatures are judged by. */
  readonly heardMs: number;
};

export type Told = {
  readonly kind: 'told';
  readonly reading?: { readonly total: string; readonly used: string; readonly unit: FlowUnit } | undefined;
};
export type Outcome = Told | { readonly kind: 'declined'; readonly info?: string | undefined } | { readonly kind: 'failed' };

export const unknown = (instanceId: InstanceId): Usage => ({
  instanceId,
  callSeq: 0,
  total: null,
  used: null,
  unit: null,
  asOf: null,
  askedAt: null,
  trouble: null,
  query: null,
  setting: null,
  reminder: null,
  refused: null,
  reminders: [],
});

type Of = Pick<Instance, 'flow' | 'status' | 'suspendedAt' | 'signId' | 'deliveryType' | 'humanDelivery'>;
export type Metered = Instance & { readonly flow: Flow };

/** Whether there is usage to be shown, be it the last that was known. */
export const isMetered = <I extends Pick<Instance, 'flow' | 'deliveryType' | 'humanDelivery'>>(
  instance: I,
): instance is I & { readonly flow: Flow } => instance.flow !== null && kindNameOf(instance) === 'saas';

const isKnownThere = (instance: Of): boolean => isMetered(instance) && instance.signId !== null && instance.suspendedAt === null;

/** Whether its provider may be asked: also in the days of grace, when a buyer decides whether to renew; never about what is released. */
export const mayBeAsked = (instance: Of): boolean =>
  isKnownThere(instance) && (instance.status === 'shipped' || instance.status === 'expired');

/** What is isolated is not used, so there is nothing to warn of. */
export const mayBeSet = (instance: Of): boolean => isKnownThere(instance) && instance.status === 'shipped';

export const isOnItsWay = (call: Asking | null, now: Date): boolean =>
  call !== null && now.getTime() - new Date(call.since).getTime() < usagePolicy.silentMsMax;

/** The provider is not asked again before; null where it was never asked. */
export const askableAt = ({ askedAt }: Pick<Usage, 'askedAt'>): Date | null =>
  askedAt === null ? null : new Date(askedAt.getTime() + usagePolicy.askedEveryMs);

/** Whether a look at the usage is to become a question to the provider. */
export function isToBeAsked(usage: Usage | undefined, now: Date): boolean {
  if (usage === undefined) return true;
  const at = askableAt(usage);
  return !isOnItsWay(usage.query, now) && (at === null || at <= now);
}

/** The question is asked: `query` names its call. */
export function ask(usage: Usage, now: Date): Usage {
  const seq = usage.callSeq + 1;
  return { ...usage, callSeq: seq, askedAt: now, query: { seq, since: now.toISOString() } };
}

/** Takes in what came of a question. One that was given up is late, and says nothing any more. */
export function answered(usage: Usage, seq: number, outcome: Outcome, now: Date): Usage {
  if (usage.query?.seq !== seq) return usage;
  const rest: Usage = { ...usage, query: null };
  if (outcome.kind !== 'told' || outcome.reading === undefined) {
    return { ...rest, trouble: { kind: outcome.kind === 'declined' ? 'declined' : 'failed', at: now.toISOString() } };
  }
  return { ...rest, ...outcome.reading, asOf: now, trouble: null };
}

/** The provider is told at what to warn, one setting at a time. */
export function set(usage: Usage, alert: Alert, now: Date): Result<Usage, 'setting-in-hand'> {
  if (isOnItsWay(usage.setting, now)) return no('setting-in-hand');
  const seq = usage.callSeq + 1;
  return ok({ ...usage, callSeq: seq, setting: { ...alert, seq, since: now.toISOString() }, refused: null });
}

/** Of what a provider says, as much as is shown to a buyer. */
const infoCharsMax = 200;

/** Takes in what came of a setting: what is not agreed to leaves the one before as it was. */
export function settled(usage: Usage, seq: number, outcome: Outcome, now: Date): Usage {
  const { setting } = usage;
  if (setting?.seq !== seq) return usage;
  const rest: Usage = { ...usage, setting: null };
  if (outcome.kind === 'told') return { ...rest, reminder: { ...setting, since: now.toISOString() } };
  const info = outcome.kind === 'declined' && outcome.info !== undefined && { info: outcome.info.slice(0, infoCharsMax) };
  return { ...rest, refused: { ...setting, kind: outcome.kind, at: now.toISOString(), ...info } };
}

/** Takes a reminder in. `flowId` follows from the call's signature, so that the same call cannot be made twice. */
export function reminded(usage: Usage, reminder: Reminder): Result<Usage, 'replayed' | 'too-often'> {
  const { reminders } = usage;
  if (reminders.some(({ flowId }) => flowId === reminder.flowId)) return no('replayed');
  // None may be forgotten while its signature is good, or it could be made again.
  const oldest = reminders[usagePolicy.remindersMax - 1];
  if (oldest !== undefined && reminder.heardMs - oldest.heardMs < usagePolicy.replayMs) return no('too-often');
  return ok({ ...usage, reminders: [reminder, ...reminders].slice(0, usagePolicy.remindersMax) });
}

/** A provider that tells the same figures again has nothing new to say to the buyer. */
export const isNews = ({ reminders }: Usage, { total, left, unit }: Reminder): boolean => {
  const last = reminders[0];
  return last === undefined || last.total !== total || last.left !== left || last.unit !== unit;
};

const isTime = (unit: FlowUnit): boolean => unit === 'm' || unit === 'h';
/** Minutes and hours, or Mb and Gb: what is counted in one cannot be warned of in the other. */
export const fits = (unit: FlowUnit, counted: FlowUnit): boolean => isTime(unit) === isTime(counted);

/** For switching off what was never set: the protocol wants figures all the same. */
export const alertOff = ({ reminder }: Pick<Usage, 'reminder'>, { unit }: Flow): Alert =>
  reminder === null ? { on: false, span: '0', unit } : { on: false, span: reminder.span, unit: reminder.unit };
