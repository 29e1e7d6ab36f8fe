/** When bills are fetched. Pure. */
import { addDays, chinaTime } from '@yunshi/kernel/calendar';

/** China; bills are made until ten. */
const RUN_AT = '10:30:00';

export const dayOf = (at: Date): string => chinaTime(at).slice(0, 10);
const startOf = (day: string): Date => new Date(`${day}T00:00:00+08:00`);
export const nextDay = (day: string): string => dayOf(addDays(startOf(day), 1));
export const dayBefore = (at: Date): string => dayOf(addDays(at, -1));
/** When the bill of a day is to be fetched: on the morning after it. */
export const runAt = (day: string): Date => new Date(`${nextDay(day)}T${RUN_AT}+08:00`);
export const span = (day: string) => ({ from: startOf(day), until: startOf(nextDay(day)) });
