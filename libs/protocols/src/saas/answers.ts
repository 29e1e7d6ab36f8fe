import { z } from 'zod';
import { bodyAs, webAddress } from '../answer-body.ts';
import type { Unreadable } from '../answer-body.ts';

/** What a provider answered, read as tolerantly as the protocol's own contradictions demand. Pure: no answer makes these throw. */

/** The protocol asks for 11 characters and shows 15 in its own examples, so a longer one is kept, with a warning. */
export const signIdLengthAdvised = 11;
/** What we are willing to store. */
const signIdLengthMax = 128;
const additionalMax = 50;
const textLengthMax = 4096;

export type Additional = { name: string; value: string };
export type CreateAnswer =
  | { kind: 'delivered'; signId: string; website?: string; authUrl?: string; additional: Additional[]; warnings: string[] }
  /** signId "0": the provider delivers later and wants to be asked again. */
  | { kind: 'pending' }
  | Unreadable;
export type ConsentAnswer = { kind: 'agreed'; authUrl?: string; warnings: string[] } | { kind: 'declined'; info?: string } | Unreadable;
export type FlowAnswer =
  { kind: 'measured'; total: string; used: string; unit: 'm' | 'h' | 'Mb' | 'Gb' } | { kind: 'declined' } | Unreadable;
export type VerifyAnswer = { kind: 'echoed' } | { kind: 'mismatch' } | Unreadable;

const Text = z.string().max(textLengthMax);
const AppInfo = z.object({ website: Text.nullish(), authUrl: Text.nullish() }).nullish();
const Success = z.union([z.boolean(), z.enum(['true', 'false'])]).transform((flag) => flag === true || flag === 'true');

const Created = z.object({
  // A provider whose ids are integers may forget the quotes; an integer that JSON has already rounded names nobody's instance.
  signId: z.union([z.string().trim().min(1).max(signIdLengthMax), z.int().min(0).transform(String)]),
  appInfo: AppInfo,
  additionalInfo: z
    .array(z.object({ name: Text, value: z.union([Text, z.number().transform(String), z.boolean().transform(String)]) }))
    .max(additionalMax)
    .nullish(),
});
const Consent = z.object({ success: Success, appInfo: AppInfo, info: Text.nullish() });
/** A decimal, or what is left cannot be told; a number without quotes is forgiven. */
const Figure = z.union([z.string().trim(), z.number().transform(String)]).pipe(z.string().regex(/^\d{1,15}(\.\d{1,6})?$/));
const Flow = z.union([
  z.object({ success: Success.refine((yes) => yes), totalFlow: Figure, costFlow: Figure, flowUnit: z.enum(['m', 'h', 'Mb', 'Gb']) }),
  z.object({ success: Success.refine((yes) => !yes) }),
]);
const Echo = z.object({ echoback: z.string() });

export function readCreated(text: string): CreateAnswer {
  const read = bodyAs(Created, text);
  if (!read.ok) return read.unreadable;
  const { signId, appInfo, additionalInfo } = read.value;
  if (signId === '0') return { kind: 'pending' };
  const warnings: string[] = [];
  if (signId.length > signIdLengthAdvised)
    warnings.push(`signId has ${signId.length} characters, the protocol allows ${signIdLengthAdvised}`);
  return { kind: 'delivered', signId, ...links(appInfo, warnings), additional: additionalInfo ?? [], warnings };
}

/** The answer to renew, modify, expire, destroy and flowSetting. */
export function readConsent(text: string): ConsentAnswer {
  const read = bodyAs(Consent, text);
  if (!read.ok) return read.unreadable;
  if (!read.value.success) return { kind: 'declined', ...(read.value.info ? { info: read.value.info } : {}) };
  const warnings: string[] = [];
  const { authUrl } = links(read.value.appInfo, warnings);
  return { kind: 'agreed', ...(authUrl !== undefined && { authUrl }), warnings };
}

export function readFlow(text: string): FlowAnswer {
  const read = bodyAs(Flow, text);
  if (!read.ok) return read.unreadable;
  if (!('totalFlow' in read.value)) return { kind: 'declined' };
  const { totalFlow, costFlow, flowUnit } = read.value;
  return { kind: 'measured', total: totalFlow, used: costFlow, unit: flowUnit };
}

export function readEcho(text: string, echoback: string): VerifyAnswer {
  const read = bodyAs(Echo, text);
  if (!read.ok) return read.unreadable;
  return { kind: read.value.echoback === echoback ? 'echoed' : 'mismatch' };
}

function links(appInfo: z.infer<typeof AppInfo>, warnings: string[]): { website?: string; authUrl?: string } {
  const kept: { website?: string; authUrl?: string } = {};
  for (const field of ['website', 'authUrl'] as const) {
    const given = appInfo?.[field];
    if (given === undefined || given === null || given.trim() === '') continue;
    const address = webAddress(given);
    if (address !== undefined) kept[field] = address;
    else warnings.push(`appInfo.${field} is not a web address`);
  }
  return kept;
}
