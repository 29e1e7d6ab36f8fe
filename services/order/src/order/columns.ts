import type { CsvColumn } from '@yunshi/http/csv';
import { chinaTime } from '@yunshi/kernel/calendar';
import { yuan } from '@yunshi/kernel/money';
import { serverAmountOf } from '../quote/server.ts';
import type { Order, OrderStatus } from './order.ts';

const statuses: Readonly<Record<OrderStatus, string>> = {
  pending_approval: '待审批',
  pending_payment: '待支付',
  processing: '处理中',
  completed: '交易成功',
  cancelled: '已取消',
  closed: '已关闭',
  failed: '处理失败',
};
const kinds: Readonly<Record<Order['kind'], string>> = { new_purchase: '新购', renewal: '续费', trial_conversion: '转正式版' };
const deliveries: Readonly<Record<Order['deliveryType'], string>> = { image: '镜像', human_service: '人工服务', saas: 'SaaS', api: 'API' };

/** Yuan with two decimals, as spreadsheets add them up. */
const inYuan = (amount: number): string => yuan(amount).slice(1);
const time = (at: Date | null): string => (at === null ? '' : chinaTime(at));

/** The columns of the file of orders. Times are those of China, amounts yuan. */
export const orderColumns: readonly CsvColumn<Order>[] = [
  { title: '订单号', of: ({ orderNumber }) => orderNumber },
  { title: '订单类型', of: ({ kind }) => kinds[kind] },
  { title: '状态', of: ({ status }) => statuses[status] },
  { title: '商品', of: ({ productName }) => productName },
  { title: '规格', of: ({ skuName }) => skuName },
  { title: '交付方式', of: ({ deliveryType }) => deliveries[deliveryType] },
  { title: '服务商', of: ({ providerName }) => providerName },
  { title: '数量', of: ({ line }) => line.quantity },
  { title: '改价前总计', of: ({ firstTotal }) => inYuan(firstTotal) },
  { title: '商品总计', of: ({ total }) => inYuan(total) },
  { title: '其中云服务器', of: ({ server }) => inYuan(serverAmountOf(server)) },
  { title: '优惠券抵扣', of: ({ deduction }) => inYuan(deduction) },
  { title: '实付金额', of: ({ payable }) => inYuan(payable) },
  { title: '已退金额', of: ({ refunded }) => inYuan(refunded) },
  { title: '下单时间', of: ({ placedAt }) => time(placedAt) },
  { title: '付款时间', of: ({ paidAt }) => time(paidAt) },
  { title: '结束时间', of: ({ endedAt }) => time(endedAt) },
  { title: '账号', of: ({ accountId }) => accountId },
  { title: '下单人', of: ({ userId }) => userId },
  { title: '采购单号', of: ({ poNumber }) => poNumber },
  { title: '实例', of: ({ instanceId }) => instanceId },
];
