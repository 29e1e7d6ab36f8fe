import type { CouponRefusal } from '@yunshi/contracts/coupon';
import type { Line, OrderKind } from '@yunshi/kernel/marketplace';
import { partOf, type Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { Benefit, Terms } from './coupon.ts';

export type NotApplicable = Extract<CouponRefusal, 'wrong-scene' | 'not-applicable' | 'below-threshold'>;

/** Whether the terms cover a line. A shop coupon covers all that the provider sells except images. */
export function covers(terms: Pick<Terms, 'providerId' | 'scope'>, line: Pick<Line, 'providerId' | 'productId' | 'deliveryType'>): boolean {
  if (line.providerId !== terms.providerId) return false;
  return terms.scope.type === 'shop' ? line.deliveryType !== 'image' : terms.scope.productIds.includes(line.productId);
}

/**
 * What the coupon takes off these lines, in fen. Only covered lines count, for the threshold too.
 * A coupon that would take off nothing is refused, so that nobody spends one on a free order.
 */
export function deductionFor(terms: Terms, kind: OrderKind, lines: readonly Line[]): Result<Fen, NotApplicable> {
  if (!terms.scenes.includes(kind)) return no('wrong-scene');
  const covered = lines.filter((line) => covers(terms, line)).reduce((sum, line) => sum + line.amount, 0);
  if (covered === 0) return no('not-applicable');
  if (terms.benefit.type === 'amount' && covered < terms.benefit.threshold) return no('below-threshold');
  const deduction = takenOff(terms.benefit, covered);
  return deduction === 0 ? no('not-applicable') : ok(deduction);
}

function takenOff(benefit: Benefit, covered: Fen): Fen {
  // What is rounded is the price the buyer pays, because that is what the coupon promises: «pay 85 %».
  return benefit.type === 'amount' ? benefit.off : covered - partOf(covered, benefit.payPercent, 100);
}
