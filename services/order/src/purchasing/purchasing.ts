import type { AccountId, UserId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';

/** What an organisation has decided about the orders of its people 采购规则. */
export type Purchasing = {
  readonly accountId: AccountId;
  /** An order that costs more than this (fen) waits for an approver; null: none does. */
  readonly approvalAbove: Fen | null;
  /** Whether each order must carry the organisation's own number 采购单号. */
  readonly poNumberRequired: boolean;
  readonly changedBy: UserId;
  readonly changedAt: Date;
};

/** An organisation that has decided nothing lets all its people order. */
export type Rules = Pick<Purchasing, 'approvalAbove' | 'poNumberRequired'>;
export const noRules: Rules = { approvalAbove: null, poNumberRequired: false };

export const needsApproval = ({ approvalAbove }: Rules, payable: Fen): boolean => approvalAbove !== null && payable > approvalAbove;
