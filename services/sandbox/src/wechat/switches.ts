import type { Sql } from '@yunshi/db/connect';
import { z } from 'zod';

/** What can be made to go wrong, a number of times. */
export const Mishap = z.enum([
  /** The payer's bank refuses. The order stays open. */
  'payment-fails',
  /** The payer pays at the very moment that the merchant closes the order. */
  'paid-before-close',
  /** The first delivery of a callback gets lost; it is repeated by the schedule. */
  'callback-lost',
  /** No delivery of a callback arrives, ever: only a query tells. */
  'callback-never',
  /** The first delivery of a callback comes a minute late. */
  'callback-late',
  /** An API call is answered 500 and nothing was done. */
  'call-fails',
  /** An API call is carried out, and its answer never arrives. */
  'answer-lost',
  /** An API call is carried out, and its answer is signed wrongly. */
  'answer-forged',
  /** An API call is answered 429. */
  'call-throttled',
  /** A refund is accepted and ends ABNORMAL: the payer's card is dead. */
  'refund-abnormal',
  /** A refund is accepted and ends CLOSED: nothing was paid back. */
  'refund-closed',
  /** A refund is refused: the merchant's balance is too low. */
  'refund-unfunded',
  /** A receiver does not get its part of a share. */
  'share-closed',
  /** A part that is given back never arrives. */
  'share-return-fails',
  /** A withdrawal never leaves. */
  'withdrawal-fails',
  /** A withdrawal arrives, and the bank sends it back an hour later. */
  'withdrawal-returned',
]);
export type Mishap = z.infer<typeof Mishap>;

export type Switches = {
  readonly arm: (what: Mishap, times: number) => Promise<void>;
  readonly armed: () => ReadonlyMap<Mishap, number>;
  /** Whether it shall go wrong this time; counts down. Writes behind, because it is asked inside transactions that hold a connection. */
  readonly take: (what: Mishap) => boolean;
  readonly disarm: () => Promise<void>;
  /** Waits until everything has been written. */
  readonly written: () => Promise<void>;
};

/** Kept in the database, so that a restart forgets no mishap, and in memory, so that a day without mishaps asks the database nothing. */
export async function openSwitches(sql: Sql, onFault: (error: unknown) => void): Promise<Switches> {
  const rows = await sql<{ what: Mishap; times: number }[]>`select what, times from wechat_switches where times > 0`;
  const armed = new Map(rows.map(({ what, times }) => [what, times]));
  // One after another: two writes on two connections could end in the wrong order, and a restart would find a mishap that was used up.
  let last: Promise<unknown> = Promise.resolve();
  const write = (statement: () => PromiseLike<unknown>): Promise<unknown> => {
    const done = last.then(statement);
    last = done.catch(onFault);
    return done;
  };
  return {
    armed: () => armed,
    arm: async (what, times) => {
      await write(
        () =>
          sql`insert into wechat_switches (what, times) values (${what}, ${times}) on conflict (what) do update set times = excluded.times`,
      );
      if (times > 0) armed.set(what, times);
      else armed.delete(what);
    },
    take: (what) => {
      const left = (armed.get(what) ?? 0) - 1;
      if (left < 0) return false;
      if (left > 0) armed.set(what, left);
      else armed.delete(what);
      write(() => sql`update wechat_switches set times = ${left} where what = ${what}`).catch(() => undefined);
      return true;
    },
    disarm: async () => {
      await write(() => sql`delete from wechat_switches`);
      armed.clear();
    },
    written: async () => void (await last),
  };
}
