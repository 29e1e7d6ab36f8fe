/** The calls to channels: what is asked, and every outcome. */
import { outsideCall } from '@yunshi/messaging/handle';
import { ChannelOrder, ChannelRefund, CloseOutcome, PlaceOutcome, QueryOutcome, RefundOutcome, RefundQueryOutcome } from './channel.ts';

/** Asked again with the same order, it is the same order. */
export const placeOrder = outsideCall('channel.place', { request: ChannelOrder, outcome: PlaceOutcome });
export const queryOrder = outsideCall('channel.query', { request: ChannelOrder, outcome: QueryOutcome });
export const closeOrder = outsideCall('channel.close', { request: ChannelOrder, outcome: CloseOutcome });
/** Asked again under the same number, it is the same refund. */
export const applyRefund = outsideCall('channel.refund', { request: ChannelRefund, outcome: RefundOutcome });
export const queryRefund = outsideCall('channel.query-refund', { request: ChannelRefund, outcome: RefundQueryOutcome });
