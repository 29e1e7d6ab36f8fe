/** What a channel's bill and our books say of one day, side by side. Pure. */
import { OrderId, type AttemptId } from '@yunshi/kernel/ids';
import { Fen, yuan } from '@yunshi/kernel/money';
import { z } from 'zod';
import { Line } from './statement.ts';

/**
 * - `channel-only`: the channel has it, we have not
 * - `ours-only`: we have it, the bill of its day has not
 * - `amount`, `state`, `fee`: both have it, and do not agree
 */
export const Class = z.enum(['channel-only', 'ours-only', 'amount', 'state', 'fee']);
export type Class = z.infer<typeof Class>;

/** What our books say of a payment or a refund, wherever its number came from. */
export type Ours = {
  readonly kind: 'payment' | 'refund';
  readonly number: string;
  readonly orderId: OrderId;
  readonly attemptId: AttemptId;
  readonly payee: string;
  /** What came in, or goes back; null where we know of no money. */
  readonly amount: Fen | null;
  /** What the ledger's clearing account of the channel says of it; null where nothing is posted. */
  readonly booked: Fen | null;
  readonly state: 'unpaid' | 'paid' | 'revoked' | 'processing' | 'succeeded' | 'abnormal' | 'closed';
  /** Whether the bill of this day should have it. */
  readonly expected: boolean;
};

export const Finding = z.object({
  class: Class,
  kind: Line.shape.kind,
  number: z.string(),
  orderId: OrderId.nullable(),
  channelNo: z.string().nullable(),
  ours: Fen.nullable(),
  theirs: Fen.nullable(),
  /** In words, for an operator. */
  explanation: z.string(),
  /** Whether asking the channel again may mend it. */
  mendable: z.boolean(),
});
export type Finding = z.infer<typeof Finding>;

/** @param ours all that the lines name and we know, and all that we would expect in them */
export function compare(
  lines: readonly Line[],
  ours: readonly Ours[],
  feeOf: (amount: Fen) => Fen,
  keyOf: (line: Pick<Line, 'kind' | 'number'>) => string,
): Finding[] {
  const known = new Map(ours.map((one) => [keyOf(one), one]));
  const named = new Set(lines.map(keyOf));
  const missing = ours.filter((one) => one.expected && !named.has(keyOf(one))).map(oursOnly);
  return [...lines.flatMap((line) => findingsOf(line, known.get(keyOf(line)), feeOf)), ...missing];
}

const what = { payment: '收款', refund: '退款' } as const;

function findingsOf(line: Line, ours: Ours | undefined, feeOf: (amount: Fen) => Fen): Finding[] {
  if (!ours || ours.amount === null) return isNothing(line) ? [] : [channelOnly(line, ours)];
  return [amountOf(line, ours), stateOf(line, ours), feeFinding(line, ours, feeOf)].filter((finding) => finding !== undefined);
}

/** A refund that the channel closed moved nothing, whether we know of it or not. */
const isNothing = (line: Line): boolean => line.kind === 'refund' && line.state === 'closed';

function channelOnly(line: Line, ours: Ours | undefined): Finding {
  const sum = `${what[line.kind]} ${yuan(line.amount)}`;
  const explanation = ours
    ? `渠道账单有${sum}，本系统记为${stateWords[ours.state]}。已向渠道重新查询；如确已支付，将照常履约或自动原路退回。`
    : `渠道账单有${sum}，单号 ${line.number} 不属于本系统的任何订单。请向渠道核实来源。`;
  return found('channel-only', line, { orderId: ours?.orderId ?? null, ours: null, explanation, mendable: ours !== undefined });
}

function oursOnly(ours: Ours): Finding {
  return {
    class: 'ours-only',
    kind: ours.kind,
    number: ours.number,
    orderId: ours.orderId,
    channelNo: null,
    ours: ours.amount,
    theirs: null,
    explanation: `本系统有${what[ours.kind]} ${yuan(ours.amount ?? 0)}，渠道当日账单没有。请向渠道核实；若在次日账单出现，则为日切差异。`,
    mendable: false,
  };
}

function amountOf(line: Line, ours: Ours): Finding | undefined {
  const about = { orderId: ours.orderId, ours: ours.amount, mendable: false };
  if (line.amount !== ours.amount) {
    const explanation = `${what[line.kind]}金额不符：渠道账单 ${yuan(line.amount)}，本系统 ${yuan(ours.amount ?? 0)}。`;
    return found('amount', line, { ...about, explanation });
  }
  // What is still on its way is not in the ledger yet.
  const isSettled = line.kind === 'payment' || ours.state === 'succeeded';
  if (!isSettled || ours.booked === ours.amount || (ours.state === 'revoked' && ours.booked === 0)) return undefined;
  const explanation = `账簿不符：${what[line.kind]} ${yuan(line.amount)}，总账渠道清算科目记为 ${yuan(ours.booked ?? 0)}。`;
  return found('amount', line, { ...about, ours: ours.booked, explanation });
}

/** A bill keeps the state of its day: what has gone on since then is no difference. */
const goesOn: Readonly<Record<Line['state'], readonly Ours['state'][]>> = {
  paid: ['paid', 'revoked'],
  revoked: ['revoked'],
  processing: ['processing', 'succeeded', 'abnormal', 'closed'],
  abnormal: ['abnormal', 'succeeded', 'closed'],
  succeeded: ['succeeded'],
  closed: ['closed'],
  strange: [],
};

const stateWords = {
  unpaid: '未支付',
  paid: '已支付',
  revoked: '已退票',
  processing: '处理中',
  succeeded: '成功',
  abnormal: '异常',
  closed: '关闭',
  strange: '未知状态',
} as const;

function stateOf(line: Line, ours: Ours): Finding | undefined {
  const about = { orderId: ours.orderId, ours: ours.amount };
  if (line.payee !== ours.payee) {
    const explanation = `收款方不符：渠道账单为商户 ${line.payee}，本系统为 ${ours.payee}。`;
    return found('state', line, { ...about, explanation, mendable: false });
  }
  if (goesOn[line.state].includes(ours.state)) return undefined;
  const explanation = `${what[line.kind]}状态不符：渠道账单为${stateWords[line.state]}，本系统为${stateWords[ours.state]}。已向渠道重新查询。`;
  return found('state', line, { ...about, explanation, mendable: true });
}

function feeFinding(line: Line, ours: Ours, feeOf: (amount: Fen) => Fen): Finding | undefined {
  const agreed = line.kind === 'payment' ? feeOf(line.amount) : -feeOf(line.amount);
  // What a channel gives back of its fee is its own affair, as long as it charges nothing for a refund.
  if (line.fee === agreed || (line.kind === 'refund' && line.fee <= 0 && line.fee >= agreed)) return undefined;
  const explanation = `手续费不符：渠道账单收取 ${signed(line.fee)}，约定为 ${signed(agreed)}。`;
  return {
    ...found('fee', line, { orderId: ours.orderId, ours: Math.abs(agreed), explanation, mendable: false }),
    theirs: Math.abs(line.fee),
  };
}

const signed = (fen: number): string => (fen < 0 ? `-${yuan(-fen)}` : yuan(fen));

const found = (name: Class, line: Line, about: Pick<Finding, 'orderId' | 'ours' | 'explanation' | 'mendable'>): Finding => ({
  class: name,
  kind: line.kind,
  number: line.number,
  channelNo: line.channelNo,
  theirs: line.amount,
  ...about,
});
