/** China keeps one time, eight hours ahead of UTC, without daylight saving. */
const chinaOffsetMs = 8 * 3_600_000;

const inChina = (at: Date): Date => new Date(at.getTime() + chinaOffsetMs);
const fromChina = (local: Date): Date => new Date(local.getTime() - chinaOffsetMs);

/** Adds calendar months in China time: 1 February + 1 month is 1 March; 31 January + 1 month is the last day of February. */
export function addMonths(at: Date, months: number): Date {
  const local = inChina(at);
  const day = local.getUTCDate();
  const moved = new Date(local);
  moved.setUTCDate(1);
  moved.setUTCMonth(moved.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
  moved.setUTCDate(Math.min(day, lastDay));
  return fromChina(moved);
}

export const addDays = (at: Date, days: number): Date => new Date(at.getTime() + days * 86_400_000);

/** RFC 3339 with China's offset, such as `2026-11-23T12:00:00+08:00` (whole seconds), as the payment channels write times. */
export function chinaTime(at: Date): string {
  return `${inChina(at).toISOString().slice(0, 19)}+08:00`;
}

/** `yyyyMMdd` in China time. */
export const chinaDay = (at: Date): string => inChina(at).toISOString().slice(0, 10).replaceAll('-', '');

/** Midnight in China at the beginning of the day that `at` falls on. */
export function startOfChinaDay(at: Date): Date {
  const local = inChina(at);
  local.setUTCHours(0, 0, 0, 0);
  return fromChina(local);
}

/** Midnight in China at the beginning of the month that `at` falls in. */
export function startOfChinaMonth(at: Date): Date {
  const local = inChina(startOfChinaDay(at));
  local.setUTCDate(1);
  return fromChina(local);
}

/** `yyyy-MM` in China time. */
export const chinaMonth = (at: Date): string => inChina(at).toISOString().slice(0, 7);
