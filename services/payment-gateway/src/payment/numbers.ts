import type { AttemptId } from '@yunshi/kernel/ids';

/*
 * Numbers that go to the channel. They are made from the attempt's id, once, so that every repetition of a call carries the same.
 * 128 bits in base 36 are at most 25 characters; WeChat Pay takes 32 of digits and letters.
 */
const compact = (attemptId: AttemptId): string =>
  BigInt(`0x${attemptId.slice(4)}`)
    .toString(36)
    .padStart(25, '0');

/** Of the combined order. */
export const orderNumber = (attemptId: AttemptId): string => `C${compact(attemptId)}`;
/** Of its one sub order: refunds name this one. */
export const subOrderNumber = (attemptId: AttemptId): string => `S${compact(attemptId)}`;
/** Of the refund of all of an attempt's money. Only a refund that the channel closed without paying gets a second number. */
export const refundNumber = (attemptId: AttemptId, generation = 1): string =>
  `RF${compact(attemptId)}${generation === 1 ? '' : `-${generation}`}`;

/** Of the platform's part of an attempt's money. */
export const shareNumber = (attemptId: AttemptId, nth = 1): string => `PS${compact(attemptId)}${nth === 1 ? '' : `-${nth}`}`;
/** Of giving that part back, in whole or in parts. */
export const shareReturnNumber = (attemptId: AttemptId, nth = 1): string => `PR${compact(attemptId)}${nth === 1 ? '' : `-${nth}`}`;

/** Reads an attempt's id back from any of its numbers. */
export function attemptOf(number: string): AttemptId | undefined {
  const [, digits] = /^(?:C|S|RF|PS|PR)([0-9a-z]{25})(?:-\d+)?$/.exec(number) ?? [];
  if (digits === undefined) return undefined;
  let value = 0n;
  for (const digit of digits) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  const hex = value.toString(16).padStart(32, '0');
  return hex.length === 32 ? (`pat_${hex}` as AttemptId) : undefined;
}
