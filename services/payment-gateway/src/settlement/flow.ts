import { flow, type StateOf } from '@yunshi/kernel/flow';

/** The money of a completed order on its way to the provider 结算. */
export const settlementFlow = flow('settlement', {
  /** The buyer may still regret it 复议期. */
  reviewing: { share: 'sharing', cancel: 'cancelled' },
  /** The channel has been asked to take out the commission and set free the rest 分账. */
  sharing: { confirm: 'released', keep: 'unshared', refuse: 'refused' },
  refused: { share: 'sharing', cancel: 'cancelled' },
  /** The provider may withdraw it; a refund takes it back. */
  released: {},
  /** The same, but the channel could not take the commission out, and never will: the provider has it, and owes it. */
  unshared: {},
  /** Everything went back to the buyer before it was released. Money that a bank took back may come again. */
  cancelled: { restore: 'reviewing' },
});
export type SettlementStatus = StateOf<typeof settlementFlow>;
