import { z } from 'zod';
import { wireTime } from '../saas/actions.ts';
import type { Params } from './signature.ts';

/**
 * The calls of Alibaba Cloud Marketplace's SaaS SPI. All are GET on one URL, all parameters stand in the query. Constructors say what the
 * marketplace sends, the schema what a provider must be ready to receive: it signs over whatever arrives, and ignores what it does not know.
 */

/** "yyyy-MM-dd HH:mm:ss", China time. */
const Time = z.string().regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/);
const Id = z.string().min(1).max(128);

const CreateInstance = z.object({
  action: z.literal('createInstance'),
  aliUid: Id,
  orderBizId: Id,
  orderId: Id,
  productCode: Id,
  skuId: Id,
  trial: z.enum(['true', 'false']),
  expiredOn: Time.optional(),
});
const RenewInstance = z.object({ action: z.literal('renewInstance'), instanceId: Id, orderId: Id, expiredOn: Time });
const UpgradeInstance = z.object({ action: z.literal('upgradeInstance'), instanceId: Id, skuId: Id, orderId: Id });
const ExpiredInstance = z.object({ action: z.literal('expiredInstance'), instanceId: Id });
const ReleaseInstance = z.object({ action: z.literal('releaseInstance'), instanceId: Id });

export const SpiCall = z.discriminatedUnion('action', [CreateInstance, RenewInstance, UpgradeInstance, ExpiredInstance, ReleaseInstance]);
export type SpiCall = z.infer<typeof SpiCall>;

/** Not a call of ours: the buyer's browser brings it to `appInfo.authUrl`. */
export const SpiSignIn = z.object({ action: z.literal('verify'), instanceId: Id, timeStamp: Time });

export type Creation = {
  readonly buyer: string;
  /** The instance, as the marketplace calls it; providers are advised to call it the same. */
  readonly orderBizId: string;
  readonly orderId: string;
  readonly productCode: string;
  readonly skuId: string;
  readonly trial: boolean;
  readonly expires: Date | undefined;
  readonly quantity: number;
};

export const createInstance = ({ buyer, orderBizId, orderId, productCode, skuId, trial, expires, quantity }: Creation): Params => ({
  action: 'createInstance',
  aliUid: buyer,
  orderBizId,
  orderId,
  productCode,
  skuId,
  trial: String(trial),
  ...(expires !== undefined && { expiredOn: wireTime(expires) }),
  // Billing items of the product are parameters of their own; this marketplace has one.
  Count: String(quantity),
});

export const renewInstance = (of: { readonly instanceId: string; readonly orderId: string; readonly expires: Date }): Params => ({
  action: 'renewInstance',
  instanceId: of.instanceId,
  orderId: of.orderId,
  expiredOn: wireTime(of.expires),
});

/** Another SKU in the same instance; its expiry stays. */
export const upgradeInstance = (of: {
  readonly instanceId: string;
  readonly skuId: string;
  readonly orderId: string;
  readonly quantity: number;
}): Params => ({
  action: 'upgradeInstance',
  instanceId: of.instanceId,
  skuId: of.skuId,
  orderId: of.orderId,
  Count: String(of.quantity),
});

export const expiredInstance = (instanceId: string): Params => ({ action: 'expiredInstance', instanceId });
export const releaseInstance = (instanceId: string): Params => ({ action: 'releaseInstance', instanceId });
export const signIn = (instanceId: string, at: Date): Params => ({ action: 'verify', instanceId, timeStamp: wireTime(at) });
