/** Bills 对账单 from the book: pure. */
import { chinaTime } from '@yunshi/kernel/calendar';
import {
  flowColumns,
  flowSummary,
  tradeColumns,
  tradeSummary,
  yuanOf,
  type Bill,
  type Cells,
  type TradeBillType,
} from '@yunshi/protocols/wechat/bill';
import type { Order } from './order.ts';
import type { WechatBillMistake, WechatFlow, WechatRefund, WechatSubOrder } from './tables.ts';

/** What a bill says of one payment or one refund, before it becomes text. */
type Line = {
  readonly at: Date;
  readonly order: Order;
  readonly sub: WechatSubOrder;
  readonly refund: WechatRefund | undefined;
  readonly amount: number;
  readonly fee: number;
  readonly state: string;
};

/** The played merchants pay no fee, as in a promotion of WeChat Pay's. */
const FEE = { rate: '0.00%', amount: 0 } as const;

export type Day = { readonly from: Date; readonly until: Date };

/** A refund stands in the bill of the day on which it was accepted, with the status that it had at the end of that day. */
const statusAt = (refund: WechatRefund, { until }: Day): string =>
  refund.endedAt !== null && refund.endedAt < until ? refund.status : 'PROCESSING';

export type Traded = { readonly order: Order; readonly sub: WechatSubOrder; readonly refund?: WechatRefund };

/** The trade bill of a day, mistakes included. */
export function tradeBill(
  type: TradeBillType,
  traded: readonly Traded[],
  mistakes: readonly WechatBillMistake[],
  { day, mchid, appid }: { day: Day; mchid: string; appid: string },
): Bill {
  const lines = traded
    .map((one) => lineOf(one, day))
    .filter(({ refund }) => type === 'ALL' || (refund === undefined) === (type === 'SUCCESS'))
    .flatMap((line) => mistaken(line, mistakes))
    .toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const rows = [
    ...lines.map((line) => cellsOf(line, { mchid, appid })),
    ...(type === 'REFUND'
      ? []
      : mistakes.filter(({ what }) => what === 'stranger').map(({ about }) => strangerIn(about, { day, mchid, appid }))),
  ];
  return { columns: tradeColumns[type], rows, summary: summaryOf(rows) };
}

function lineOf({ order, sub, refund }: Traded, day: Day): Line {
  if (refund) return { at: refund.createdAt, order, sub, refund, amount: refund.amount, fee: FEE.amount, state: statusAt(refund, day) };
  return { at: order.paidAt ?? order.createdAt, order, sub, refund, amount: sub.amount, fee: FEE.amount, state: 'SUCCESS' };
}

function mistaken(line: Line, mistakes: readonly WechatBillMistake[]): Line[] {
  const number = line.refund?.outRefundNo ?? line.sub.outTradeNo;
  return mistakes
    .filter(({ about }) => about === number)
    .reduce<Line[]>(
      (lines, { what }) =>
        lines.flatMap((one) => {
          switch (what) {
            case 'missing':
              return [];
            case 'amount':
              return [{ ...one, amount: one.amount + 1 }];
            case 'state':
              return [{ ...one, state: one.refund ? 'CLOSED' : 'REVOKED' }];
            case 'fee':
              return [{ ...one, fee: one.fee + 12 }];
            case 'stranger':
              return [one];
          }
        }),
      [line],
    );
}

const time = (at: Date): string => chinaTime(at).slice(0, 19).replace('T', ' ');
const NOTHING = '0.00';

function cellsOf({ at, order, sub, refund, amount, fee, state }: Line, us: { mchid: string; appid: string }): Cells {
  return {
    交易时间: time(at),
    公众账号ID: us.appid,
    商户号: us.mchid,
    特约商户号: sub.subMchid,
    微信订单号: sub.transactionId ?? '',
    商户订单号: sub.outTradeNo,
    用户标识: order.openid ?? '',
    交易类型: 'NATIVE',
    交易状态: refund ? 'REFUND' : state,
    付款银行: order.bankType ?? 'OTHERS',
    货币种类: 'CNY',
    应结订单金额: refund ? NOTHING : yuanOf(amount),
    代金券金额: NOTHING,
    退款申请时间: refund ? time(refund.createdAt) : '',
    退款成功时间: refund?.status === 'SUCCESS' && refund.endedAt && state === 'SUCCESS' ? time(refund.endedAt) : '',
    微信退款单号: refund?.refundId ?? '0',
    商户退款单号: refund?.outRefundNo ?? '0',
    退款金额: refund ? yuanOf(amount) : NOTHING,
    充值券退款金额: NOTHING,
    退款类型: refund ? 'ORIGINAL' : '',
    退款状态: refund ? state : '',
    商品名称: sub.description,
    商户数据包: sub.attach,
    手续费: yuanOf(refund ? -fee : fee),
    费率: FEE.rate,
    订单金额: refund ? NOTHING : yuanOf(amount),
    申请退款金额: refund ? yuanOf(amount) : NOTHING,
    费率备注: '',
  };
}

/** A payment that the merchant knows nothing of. */
const strangerIn = (number: string, { day, mchid, appid }: { day: Day; mchid: string; appid: string }): Cells => ({
  交易时间: time(day.from),
  公众账号ID: appid,
  商户号: mchid,
  特约商户号: '1900000109',
  微信订单号: `42999${number.replaceAll(/\D/g, '').padStart(23, '0')}`.slice(0, 28),
  商户订单号: number,
  交易类型: 'NATIVE',
  交易状态: 'SUCCESS',
  付款银行: 'OTHERS',
  货币种类: 'CNY',
  应结订单金额: '1.00',
  代金券金额: NOTHING,
  微信退款单号: '0',
  商户退款单号: '0',
  退款金额: NOTHING,
  充值券退款金额: NOTHING,
  商品名称: '不明交易',
  手续费: NOTHING,
  费率: FEE.rate,
  订单金额: '1.00',
  申请退款金额: NOTHING,
});

/** Adds yuan up by their digits. */
const added = (rows: readonly Cells[], name: string): string =>
  yuanOf(rows.reduce((sum, row) => sum + Number((row[name] ?? NOTHING).replace('.', '')), 0));

function summaryOf(rows: readonly Cells[]): Cells {
  const columns = ['', '应结订单金额', '退款金额', '充值券退款金额', '手续费', '订单金额', '申请退款金额'];
  return Object.fromEntries(
    tradeSummary.map((name, index) => [name, index === 0 ? String(rows.length) : added(rows, columns[index] ?? '')]),
  );
}

/** The movements of one account, or of all sub merchants', with what each account held after each. */
export function flowBill(flows: readonly (WechatFlow & { readonly balance: number })[], { named }: { named: boolean }): Bill {
  const rows = flows.map((flow) => ({
    ...(named ? { 二级商户号: flow.account } : {}),
    记账时间: time(flow.at),
    微信支付业务单号: flow.businessNo,
    资金流水单号: flow.flowNo,
    业务名称: flow.business,
    业务类型: flow.business,
    收支类型: flow.amount < 0 ? '支出' : '收入',
    '收支金额(元)': yuanOf(Math.abs(flow.amount)),
    '账户结余(元)': yuanOf(flow.balance),
    资金变更提交申请人: 'system',
    备注: '',
    业务凭证号: flow.proof,
  }));
  const sum = (kept: readonly WechatFlow[]): string => yuanOf(Math.abs(kept.reduce((total, { amount }) => total + amount, 0)));
  const [income, outgo] = [flows.filter(({ amount }) => amount >= 0), flows.filter(({ amount }) => amount < 0)];
  const figures = [String(flows.length), String(income.length), sum(income), String(outgo.length), sum(outgo)];
  return {
    columns: named ? ['二级商户号', ...flowColumns] : flowColumns,
    rows,
    summary: Object.fromEntries(flowSummary.map((name, index) => [name, figures[index] ?? ''])),
  };
}
