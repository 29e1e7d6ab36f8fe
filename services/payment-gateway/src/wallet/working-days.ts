/** Working days in mainland China: public holidays are none, make-up days 调休 are. */
import chineseDays from 'chinese-days';
import { addDays, startOfChinaDay } from '@yunshi/kernel/calendar';

const DAYS_MAX = 400;
const known = new Map<string, boolean>();

/** The government announces a year's holidays in the autumn before. The library takes every weekday of a year that it does not know for a working day, silently. */
function isAnnounced(year: string): boolean {
  const found = known.get(year) ?? chineseDays.getHolidaysInRange(`${year}-01-01`, `${year}-12-31`, false).length > 0;
  known.set(year, found);
  return found;
}

/** In a year whose holidays are not known yet, weekends alone are counted as free. */
export function isWorkingDay(at: Date): boolean {
  // The library reads the day in the process's own time zone, so that it is given the day alone.
  const day = new Date(startOfChinaDay(at).getTime() + 8 * 3_600_000);
  const text = day.toISOString().slice(0, 10);
  if (isAnnounced(text.slice(0, 4))) return chineseDays.isWorkday(text);
  return day.getUTCDay() !== 0 && day.getUTCDay() !== 6;
}

/** The end, in China, of the nth working day after the day of `at`. */
export function addWorkingDays(at: Date, count: number): Date {
  let day = startOfChinaDay(at);
  let left = count;
  for (let step = 0; left > 0 && step < DAYS_MAX; step++) {
    day = addDays(day, 1);
    if (isWorkingDay(day)) left--;
  }
  return addDays(day, 1);
}
