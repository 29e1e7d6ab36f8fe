import { z } from 'zod';

/** A prefixed UUIDv7 without dashes, such as `ord_01930e6c7b1a7c3e9f0a1b2c3d4e5f60`: sorts by time of making. */
const id = <const P extends string, const B extends string>(prefix: P, _brand: B) =>
  z
    .templateLiteral([`${prefix}_`, z.string().regex(/^[0-9a-f]{32}$/)])
    .brand<B>()
    .meta({ description: `${prefix}_ and 32 hexadecimal digits`, example: `${prefix}_01930e6c7b1a7c3e9f0a1b2c3d4e5f60` });

export const AccountId = id('acc', 'AccountId');
export type AccountId = z.infer<typeof AccountId>;
export const UserId = id('usr', 'UserId');
export type UserId = z.infer<typeof UserId>;
export const ProviderId = id('prv', 'ProviderId');
export type ProviderId = z.infer<typeof ProviderId>;
export const ProductId = id('prd', 'ProductId');
export type ProductId = z.infer<typeof ProductId>;
export const SkuId = id('sku', 'SkuId');
export type SkuId = z.infer<typeof SkuId>;
export const OrderId = id('ord', 'OrderId');
export type OrderId = z.infer<typeof OrderId>;
/** A provider's coupon offer 优惠券. */
export const CouponId = id('cpn', 'CouponId');
export type CouponId = z.infer<typeof CouponId>;
/** One coupon that a buyer has claimed 已领取的优惠券. */
export const ClaimId = id('ccl', 'ClaimId');
export type ClaimId = z.infer<typeof ClaimId>;
export const PaymentId = id('pay', 'PaymentId');
export type PaymentId = z.infer<typeof PaymentId>;
export const AttemptId = id('pat', 'AttemptId');
export type AttemptId = z.infer<typeof AttemptId>;
export const RefundId = id('rfd', 'RefundId');
export type RefundId = z.infer<typeof RefundId>;
/** A buyer's review 评价 of a product. There is one for each pair, and its id follows from both. */
export const ReviewId = id('rvw', 'ReviewId');
export type ReviewId = z.infer<typeof ReviewId>;
export const InstanceId = id('ins', 'InstanceId');
export type InstanceId = z.infer<typeof InstanceId>;
/** A delivery case 交付单: what people do for one instance. */
export const DeliveryId = id('dlv', 'DeliveryId');
export type DeliveryId = z.infer<typeof DeliveryId>;
/** Of account balance 提现. */
export const WithdrawalId = id('wdr', 'WithdrawalId');
export type WithdrawalId = z.infer<typeof WithdrawalId>;
/** One online check 在线接口调试 of a provider's endpoint. */
export const CheckId = id('chk', 'CheckId');
export type CheckId = z.infer<typeof CheckId>;
export const SagaId = id('sag', 'SagaId');
export type SagaId = z.infer<typeof SagaId>;

type IdOf = {
  acc: AccountId;
  usr: UserId;
  prv: ProviderId;
  prd: ProductId;
  sku: SkuId;
  ord: OrderId;
  cpn: CouponId;
  ccl: ClaimId;
  pay: PaymentId;
  pat: AttemptId;
  rfd: RefundId;
  ins: InstanceId;
  dlv: DeliveryId;
  wdr: WithdrawalId;
  chk: CheckId;
  sag: SagaId;
};

let pool = new Uint8Array(0);
let used = 0;

/** Ten random bytes from a pool, because one system call per id shows in the profile of a busy service. */
function randomTail(): Uint8Array {
  if (used + 10 > pool.length) {
    pool = globalThis.crypto.getRandomValues(new Uint8Array(4096));
    used = 0;
  }
  used += 10;
  return pool.subarray(used - 10, used);
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The 32 hexadecimal digits of a UUIDv7 (RFC 9562) made at `atMs`, in milliseconds since the epoch. */
export function uuidv7Hex(atMs: number): string {
  const tail = randomTail();
  let out = atMs.toString(16).padStart(12, '0');
  out += hex[0x70 | (tail[0]! & 0x0f)]! + hex[tail[1]!]! + hex[0x80 | (tail[2]! & 0x3f)]!;
  for (let index = 3; index < 10; index++) out += hex[tail[index]!]!;
  return out;
}

/** A UUIDv7 with dashes, as PostgreSQL's `uuid` and message ids take it. */
export function uuidv7(atMs: number): string {
  const digits = uuidv7Hex(atMs);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
}

/** A new id of the kind that the prefix names. */
export function newId<P extends keyof IdOf>(prefix: P, at: Date): IdOf[P] {
  return `${prefix}_${uuidv7Hex(at.getTime())}` as IdOf[P];
}
