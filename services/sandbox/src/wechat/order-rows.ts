/** The rows of orders and refunds. */
import type { Tx } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { Order } from './order.ts';
import { wechatOrders, wechatRefunds, wechatSubOrders, type WechatSubOrder } from './tables.ts';

export const orders = rowsOf(wechatOrders, 'number');
export const subOrders = rowsOf(wechatSubOrders, 'outTradeNo');
export const refunds = rowsOf(wechatRefunds, 'outRefundNo');

const subOrderColumns = selectListOf(wechatSubOrders);

export async function ordersOf(tx: Tx, numbers: readonly string[]): Promise<Order[]> {
  const ids = [...numbers];
  const [rows, subs] = await Promise.all([
    orders.find(tx, ids),
    tx<WechatSubOrder[]>`
      select ${tx.unsafe(subOrderColumns)} from wechat_sub_orders where order_number = any(${ids}::text[]) order by order_number, position`,
  ]);
  return rows.map((row) => ({ ...row, subOrders: subs.filter((sub) => sub.orderNumber === row.number) }));
}
