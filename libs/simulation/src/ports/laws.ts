import { barrierKey, type Changes } from '@yunshi/messaging/store';
import type { Database } from './database.ts';

/** What no commit may do. Only somebody who sees every commit can tell: the books look the same afterwards. */
export type Law = 'a command is carried out once' | 'nothing is done after it was undone' | 'the outcome of an outside call is taken once';
type Offence = { readonly law: Law; readonly detail: string };

/** The laws that these changes break, before they are written. */
export function unlawful({ barriers, closedCalls }: Changes, { barrier, calls }: Database): readonly Offence[] {
  const offences: Offence[] = [];
  const undone = new Set<string>();
  for (const row of barriers) {
    const key = barrierKey(row);
    if (barrier.has(key)) offences.push({ law: 'a command is carried out once', detail: key });
    const undo = barrierKey({ ...row, direction: 'undo' });
    if (row.direction === 'undo') undone.add(undo);
    else if (row.reply !== 'tombstone' && (barrier.has(undo) || undone.has(undo)))
      offences.push({ law: 'nothing is done after it was undone', detail: key });
  }
  for (const id of closedCalls) {
    const call = calls.get(id);
    if (call && !call.open) offences.push({ law: 'the outcome of an outside call is taken once', detail: `${call.kind} ${call.key}` });
  }
  return offences;
}
