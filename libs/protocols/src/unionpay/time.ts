import { chinaTime } from '@yunshi/kernel/calendar';

/** `YYYYMMDDhhmmss`, China time. Together with the order number it names an order. */
export const wireTime = (at: Date): string => chinaTime(at).slice(0, 19).replaceAll(/\D/g, '');

const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/;

/** Undefined when it is no time. */
export function readTime(text: string): Date | undefined {
  if (!parts.test(text)) return undefined;
  const at = new Date(text.replace(parts, '$1-$2-$3T$4:$5:$6+08:00'));
  return Number.isNaN(at.getTime()) || wireTime(at) !== text ? undefined : at;
}

/** A time that is written without its year, `MMDDhhmmss`: the first such moment that is not before another one. */
export function readShortTime(text: string, notBefore: Date): Date | undefined {
  const year = Number(wireTime(notBefore).slice(0, 4));
  const day = (at: Date): string => wireTime(at).slice(0, 8);
  return [year, year + 1].map((one) => readTime(`${one}${text}`)).find((at) => at !== undefined && day(at) >= day(notBefore));
}
