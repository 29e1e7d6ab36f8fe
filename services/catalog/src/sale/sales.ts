import { recordSale } from '@yunshi/contracts/catalog';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { OrderId, ProductId } from '@yunshi/kernel/ids';
import { handle, write, type Handler } from '@yunshi/messaging/handle';
import * as tables from '../tables.ts';
import { record, type Sale, type SaleCount } from './sale.ts';

/** The lane locks `sale_counts` before `sales`, so two requests for the same order cannot both find it uncounted. */
export const saleCounts: Rows<ProductId, SaleCount> = rowsOf(tables.saleCounts, 'productId');
export const sales: Rows<OrderId, Sale> = rowsOf(tables.sales, 'orderId');

export const saleHandlers: readonly Handler[] = [
  handle(recordSale, {
    of: saleCounts,
    key: (sale) => sale.productId,
    beside: { of: sales, key: (sale) => sale.orderId },
    decide: (sale, count, { now, reply, beside: known }) => {
      if (!count) throw new Error(`order ${sale.orderId} sold ${sale.productId}, which this catalogue does not have`);
      const recorded = record(count, known, { ...sale, recordedAt: now });
      return { ...(recorded && { save: recorded.count, writes: [write(sales, recorded.sale)] }), reply: reply.recorded({}) };
    },
  }),
];
