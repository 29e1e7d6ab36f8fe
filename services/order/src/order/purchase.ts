import type { OrderId, SagaId } from '@yunshi/kernel/ids';
import { startSaga, type SagaStart } from '@yunshi/messaging/handle';
import { serverAmountOf } from '../quote/server.ts';
import { purchaseSaga } from '../sagas/purchase.saga.ts';
import { renewalSaga } from '../sagas/renewal.saga.ts';
import { repricingSaga } from '../sagas/repricing.saga.ts';
import type { Order, PriceChange } from './order.ts';

/** An order has one saga, so the saga's id follows from the order's, and nobody has to look it up to stop it. */
export const sagaOf = (orderId: OrderId): SagaId => `sag_${orderId.slice('ord_'.length)}` as SagaId;

export const beginPurchase = (order: Order): SagaStart =>
  startSaga(order.forInstanceId === null ? purchaseSaga : renewalSaga, {
    id: sagaOf(order.orderId),
    key: order.orderId,
    data: {
      orderId: order.orderId,
      orderNumber: order.orderNumber,
      accountId: order.accountId,
      userId: order.userId,
      kind: order.kind,
      line: order.line,
      ...(order.server?.configuration && { server: order.server.configuration }),
      serverAmount: serverAmountOf(order.server),
      productName: order.productName,
      skuName: order.skuName,
      isTrial: order.isTrial,
      humanDelivery: order.humanDelivery,
      ...(order.claimId !== null && { claimId: order.claimId }),
      payable: order.payable,
      payBy: order.payBy.toISOString(),
      ...(order.forInstanceId !== null && { instanceId: order.forInstanceId }),
      refunded: 0,
    },
  });

export const beginRepricing = ({ orderId, accountId, claimId }: Order, { changeId, deduction, payable }: PriceChange): SagaStart =>
  startSaga(repricingSaga, {
    id: changeId,
    key: orderId,
    data: { changeId, orderId, accountId, ...(claimId !== null && { claimId }), deduction, payable },
  });
