/** What we have to remember of UnionPay's orders: the only SQL for it. */
import { randomBytes } from 'node:crypto';
import type { Sql } from '@yunshi/db/connect';
import { selectListOf } from '@yunshi/db/select-list';
import type { ChannelOrder } from '../payment/channel.ts';
import * as tables from '../tables.ts';

export type Form = typeof tables.unionpayForms.$inferSelect;
export type UnionpayBook = ReturnType<typeof unionpayBook>;

const columns = selectListOf(tables.unionpayForms);

export const unionpayBook = (sql: Sql) => ({
  /** Makes the page of an order ready, once. */
  prepare: async (order: ChannelOrder, now: Date): Promise<Form> => {
    await insert(sql, order, { now, voidedAt: null });
    return (await formOf(sql, order.number))!;
  },
  formOf: (number: string): Promise<Form | undefined> => formOf(sql, number),
  formBy: async (token: string): Promise<Form | undefined> =>
    (await sql<Form[]>`select ${sql.unsafe(columns)} from unionpay_forms where token = ${token}`)[0],
  /** Gives the order its time, the first time, before anybody is handed it over. Undefined when that must not be any more. */
  handOver: async (
    token: string,
    { txnTime, now }: { txnTime: string; now: Date },
  ): Promise<(Form & { readonly txnTime: string }) | undefined> =>
    (
      await sql<(Form & { readonly txnTime: string })[]>`
        update unionpay_forms set txn_time = coalesce(txn_time, ${txnTime})
        where token = ${token} and voided_at is null and ends_at > ${now} returning ${sql.unsafe(columns)}`
    )[0],
  /** Closes what was never handed over, even before it was made ready. */
  close: async (order: ChannelOrder, now: Date): Promise<Form> => {
    await insert(sql, order, { now, voidedAt: now });
    await sql`update unionpay_forms set voided_at = ${now} where number = ${order.number} and txn_time is null and voided_at is null`;
    return (await formOf(sql, order.number))!;
  },

  /** When a refund was asked for. The first one says it, before it is asked. */
  askRefundAt: async (refundNo: string, txnTime: string): Promise<string> => {
    await sql`insert into unionpay_refunds (refund_no, txn_time) values (${refundNo}, ${txnTime}) on conflict (refund_no) do nothing`;
    return (await refundTimeOf(sql, refundNo)) ?? txnTime;
  },
  refundTimeOf: (refundNo: string): Promise<string | undefined> => refundTimeOf(sql, refundNo),
  /** It was refused, and is unknown there: the next time it is asked for, it is as new. */
  forgetRefund: async (refundNo: string): Promise<void> => void (await sql`delete from unionpay_refunds where refund_no = ${refundNo}`),
});

const formOf = async (sql: Sql, number: string): Promise<Form | undefined> =>
  (await sql<Form[]>`select ${sql.unsafe(columns)} from unionpay_forms where number = ${number}`)[0];

const insert = async (sql: Sql, order: ChannelOrder, { now, voidedAt }: { now: Date; voidedAt: Date | null }): Promise<void> => {
  const { number, orderId, payee, amount, description, endsAt } = order;
  const token = randomBytes(24).toString('base64url');
  await sql`
    insert into unionpay_forms (number, token, order_id, mer_id, amount, description, ends_at, voided_at, created_at)
    values (${number}, ${token}, ${orderId}, ${payee}, ${amount}, ${description}, ${new Date(endsAt)}, ${voidedAt}, ${now})
    on conflict (number) do nothing`;
};

const refundTimeOf = async (sql: Sql, refundNo: string): Promise<string | undefined> =>
  (await sql<{ txnTime: string }[]>`select txn_time as "txnTime" from unionpay_refunds where refund_no = ${refundNo}`)[0]?.txnTime;
