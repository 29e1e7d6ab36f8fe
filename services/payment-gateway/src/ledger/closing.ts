/**
 * The books are closed behind us hour by hour: what was posted until then is added up once, and nothing is posted there any more: what comes
 * later, as from a process whose clock was behind, is booked in the first open hour. A
 * balance is what it was at the closing and what has been posted since, however old the ledger is. See docs/decisions/closed-hours.md.
 */
import { startOfChinaMonth } from '@yunshi/kernel/calendar';
import { due, httpWrite, type Decision, type Handler } from '@yunshi/messaging/handle';
import { closings, type Closing } from './entries.ts';

const CLOSE = 'ledger.close';
const ISSUE = 'settlement.issue';
const LEDGER = 'ledger';
const HOUR_MS = 3_600_000;
/** Entries carry the time of their decision, and are committed a moment later: what takes longer is booked a moment later. */
const GRACE_MS = 5 * 60_000;

/** The last full hour that nobody can still be posting into. */
export const closableThrough = (now: Date): Date => new Date(Math.floor((now.getTime() - GRACE_MS) / HOUR_MS) * HOUR_MS);
const nextClosing = (now: Date): Date => new Date(closableThrough(now).getTime() + HOUR_MS + GRACE_MS);

function close(row: Closing | undefined, now: Date): Decision<Closing> {
  if (!row) throw new Error('the ledger has no row that says through when it is closed');
  const through = closableThrough(now);
  const next = { kind: CLOSE, key: LEDGER, dueAt: nextClosing(now) };
  // Statements read a month: not while everybody waits for the closing.
  const issuing = row.issuedThrough < startOfChinaMonth(through) ? [{ kind: ISSUE, key: LEDGER, dueAt: now }] : [];
  const decision = { deadlines: [next, ...issuing] };
  return row.through < through ? { ...decision, save: { ...row, through } } : decision;
}

const issue = (row: Closing | undefined): Decision<Closing> =>
  row ? { save: { ...row, issuedThrough: startOfChinaMonth(row.through) } } : {};

export const closingHandlers = (): readonly Handler[] => [
  due(CLOSE, { of: closings, decide: (_key: string, row, { now }) => close(row, now) }),
  due(ISSUE, { of: closings, decide: (_key: string, row) => issue(row) }),
];

/** Closes what can be closed, and sees to it that it goes on. To be asked for at every start. */
export const closeNow = httpWrite('ledger.close-now', {
  of: closings,
  key: () => LEDGER,
  decide: (_asked: object, row, { now }) => close(row, now),
});
