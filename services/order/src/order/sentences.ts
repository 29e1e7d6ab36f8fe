import type { OrderEnd } from '@yunshi/contracts/order';
import { bankNames } from '@yunshi/kernel/banks';
import { yuan } from '@yunshi/kernel/money';
import type { Entry } from './order.ts';

type Sentence = { readonly zh: string; readonly en: string };

const because: Readonly<Record<OrderEnd, Sentence>> = {
  'payment-timeout': { zh: '未在规定时间内付款', en: 'it was not paid in time' },
  cancelled: { zh: '买家取消了订单', en: 'the buyer cancelled it' },
  'approval-declined': { zh: '审批未通过', en: 'it was not approved' },
  'approval-timeout': { zh: '未在规定时间内审批', en: 'it was not approved in time' },
  'not-delivered': { zh: '服务商未能交付', en: 'the provider could not deliver it' },
  'coupon-refused': { zh: '优惠券不可用', en: 'the coupon could not be used' },
  'payment-refused': { zh: '无可用的支付方式', en: 'there was no way to pay it' },
  unanswered: { zh: '系统未及时响应', en: 'a part of the marketplace did not answer' },
};

/** What an entry of the timeline says to its buyer. */
export function sentences({ what, reason, amount, bank }: Pick<Entry, 'what' | 'reason' | 'amount' | 'bank'>): Sentence {
  const at = bank === null ? '企业网银' : bankNames[bank];
  const atBank = bank ?? 'its bank';
  const why = reason === null ? undefined : because[reason];
  const back: Sentence =
    amount === null ? { zh: '', en: '' } : { zh: `，${yuan(amount)} 已原路退回`, en: `; ${yuan(amount)} was given back` };
  const ended = (zh: string, en: string): Sentence => ({
    zh: `${zh}${why ? `：${why.zh}` : ''}${back.zh}`,
    en: `${en}${why ? `: ${why.en}` : ''}${back.en}`,
  });
  switch (what) {
    case 'placed':
      return { zh: '订单已提交', en: 'The order was placed' };
    case 'approved':
      return { zh: '审批通过，等待付款', en: 'The order was approved; it waits for payment' };
    case 'paid':
      return amount
        ? { zh: `已付款 ${yuan(amount)}，等待服务商交付`, en: `${yuan(amount)} was paid; the provider delivers` }
        : { zh: '等待服务商交付', en: 'The provider delivers' };
    case 'bank-started':
      return { zh: `已选择通过${at}对公付款，等待制单员提交`, en: `The company pays by ${atBank}; the maker has to hand in the voucher` };
    case 'bank-approving':
      return { zh: `${at}已受理，等待复核员复核`, en: `${atBank} holds the voucher; the checker has to approve it` };
    case 'bank-ended':
      return { zh: `${at}的付款未完成，可以重新付款`, en: `The payment by ${atBank} came to nothing; it can be paid anew` };
    case 'payment-revoked':
      return {
        zh: `银行退票${amount ? `，${yuan(amount)} 已退回付款账户` : ''}，相关资源已暂停`,
        en: `The bank took the payment back${amount ? `: ${yuan(amount)}` : ''}; what was delivered for it is suspended`,
      };
    case 'payment-restored':
      return { zh: '退票款项已重新到账，相关资源已恢复', en: 'The money came again; what was suspended goes on' };
    case 'revocation-ended':
      return { zh: '退票款项未重新支付，相关资源已终止', en: 'The money did not come again; what was delivered for it is ended' };
    case 'refunded':
      return { zh: `已退款 ${yuan(amount ?? 0)}，原路退回`, en: `${yuan(amount ?? 0)} was given back` };
    case 'price-change-asked':
      return { zh: '服务商正在改价，暂时不能付款', en: 'The provider is changing the price; it cannot be paid for a moment' };
    case 'price-changed':
      return {
        zh: `服务商已改价，实付金额 ${yuan(amount ?? 0)}`,
        en: `The provider has changed the price: ${yuan(amount ?? 0)} is to be paid`,
      };
    case 'price-kept':
      return { zh: `改价未生效，实付金额仍为 ${yuan(amount ?? 0)}`, en: `The price was not changed: ${yuan(amount ?? 0)} is to be paid` };
    case 'cancel-requested':
      return { zh: '已申请取消，等待支付渠道确认', en: 'Cancellation was requested; the payment channel confirms it' };
    case 'completed':
      return { zh: '交易成功', en: 'The order was completed' };
    case 'cancelled':
      return ended('订单已取消', 'The order was cancelled');
    case 'closed':
      return ended('订单已关闭', 'The order was closed');
    case 'failed':
      return ended('订单处理失败', 'The order failed');
  }
}
