import { orphansIn } from './journal.ts';
import type { Ledger } from './ledger.ts';

export type RecoveryParts = {
  readonly folder: string;
  readonly own: string;
  readonly ledger: Pick<Ledger, 'settle' | 'release'>;
  readonly log: { info(of: object, what: string): void; error(of: object, what: string): void };
};

/**
 * Takes in the journals of processes that are gone: their calls are counted, and the rest of their leases can be sold again. Where the
 * machine was started anew in between, lines may be missing: then what they held is neither counted nor sold again.
 */
export async function recover({ folder, own, ledger, log }: RecoveryParts): Promise<void> {
  for (const { holder, entries, isComplete, remove } of await orphansIn(folder, own, Date.now())) {
    for (let from = 0; from < entries.length; from += 1_000) await ledger.settle(holder, entries.slice(from, from + 1_000), new Map());
    if (isComplete) await ledger.release(holder);
    else log.error({ holder }, 'the journal of a gateway may be incomplete: what it held is neither counted nor sold again');
    remove();
    log.info({ holder, calls: entries.length, complete: isComplete }, 'a journal was recovered');
  }
}
