import type { AccountId, OrderId, ProductId } from '@yunshi/kernel/ids';

/** A completed order, remembered so that it counts once. */
export type Sale = {
  readonly orderId: OrderId;
  readonly productId: ProductId;
  readonly accountId: AccountId;
  readonly quantity: number;
  readonly recordedAt: Date;
};
export type SaleCount = { readonly productId: ProductId; readonly completed: number };

/** Counts an order, whatever its quantity, unless it is counted already. */
export function record(
  count: SaleCount,
  known: Sale | undefined,
  sale: Sale,
): { readonly count: SaleCount; readonly sale: Sale } | undefined {
  return known ? undefined : { count: { ...count, completed: count.completed + 1 }, sale };
}
