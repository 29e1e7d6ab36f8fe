/** Until when a buyer may give a purchase back without anybody's consent 复议期 (marketplace.md, section 7). Pure. */
import { addDays, startOfChinaDay } from '@yunshi/kernel/calendar';
import type { DeliveryType } from '@yunshi/kernel/marketplace';

/**
 * SaaS: through the end of this many days in China, the day of purchase being the first. Human service: until the delivery is accepted,
 * which is when the order is completed. Images and APIs: none.
 */
const REVIEW_DAYS: Readonly<Record<DeliveryType, number>> = { saas: 5, human_service: 0, image: 0, api: 0 };

/** Channels share nothing out of a payment that is younger than a minute. */
const SHARING_AGE_MS_MIN = 60_000;

/** The earliest moment at which the provider's share may be released: the order completed, and the review period over. */
export function reviewEnds(
  deliveryType: DeliveryType,
  { paidAt, completedAt }: { readonly paidAt: Date; readonly completedAt: Date },
): Date {
  const days = REVIEW_DAYS[deliveryType];
  const reviewed = days === 0 ? completedAt : addDays(startOfChinaDay(paidAt), days);
  return new Date(Math.max(reviewed.getTime(), completedAt.getTime(), paidAt.getTime() + SHARING_AGE_MS_MIN));
}
