import { demoClaims, demoProducts } from '@yunshi/contracts/demo-world';
import { imageWish } from '../image-wish.ts';
import type { Shopper } from '../shopper.ts';

type Wish = {
  readonly sku_id: string;
  readonly quantity?: number;
  readonly duration?: number;
  readonly coupon?: string;
  readonly server?: object;
};

const helpDesk: Wish = { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 };
const calls: Wish = { sku_id: demoProducts.addressParsing.skus.calls1000 };
/** Its provider never delivers. */
const stock: Wish = { sku_id: demoProducts.stock.skus.monthly, duration: 1 };
const claims = [demoClaims.linMinus20, demoClaims.lin85, demoClaims.linMinus300];

/** Answers the order that was acknowledged; undefined where it was refused. */
export type Buyer = (shopper: Shopper, nth: number) => Promise<string | undefined>;

async function agreementsOf(shopper: Shopper, wish: Wish): Promise<readonly string[]> {
  const { status, body } = await shopper.post('/v1/quotes', { ...wish, coupon: 'none' });
  if (status !== 200) throw new Error(`no quote for ${JSON.stringify(wish)}: ${JSON.stringify(body)}`);
  return (body['agreements'] as { name: string }[]).map(({ name }) => name);
}

async function ordered(shopper: Shopper, wish: Wish): Promise<string | undefined> {
  const order = { coupon: 'none', ...wish, accepted_agreements: await agreementsOf(shopper, wish) };
  const { status, body } = await shopper.post('/v1/orders', order);
  return status === 201 ? String(body['order_id']) : undefined;
}

const paying =
  (wish: Wish): Buyer =>
  async (shopper) => {
    const orderId = await ordered(shopper, wish);
    const code = orderId && (await shopper.payable(orderId));
    if (code) await shopper.scan(code);
    return orderId;
  };

const cancelling =
  (wish: (nth: number) => Wish, before: (shopper: Shopper, orderId: string) => Promise<unknown>): Buyer =>
  async (shopper, nth) => {
    const orderId = await ordered(shopper, wish(nth));
    if (orderId === undefined) return undefined;
    await before(shopper, orderId);
    await shopper.post(`/v1/orders/${orderId}/cancel`, undefined);
    return orderId;
  };

const withCode = (shopper: Shopper, orderId: string): Promise<unknown> => shopper.payable(orderId);

/** Between them they bring about every kind of call, and every way that a saga goes. */
export const buyers: readonly Buyer[] = [
  paying(helpDesk),
  cancelling(
    (nth) => ({ ...helpDesk, coupon: claims[nth % claims.length]! }),
    () => Promise.resolve(),
  ),
  paying(calls),
  cancelling(() => helpDesk, withCode),
  // Pays in the moment in which the order is cancelled, so that the money goes back.
  cancelling(
    () => helpDesk,
    async (shopper, orderId) => {
      await withCode(shopper, orderId);
      await shopper.arm('paid-before-close');
    },
  ),
  paying(stock),
  // Takes a code, and never pays.
  async (shopper) => {
    const orderId = await ordered(shopper, helpDesk);
    if (orderId) await shopper.payable(orderId);
    return orderId;
  },
  async (shopper, nth) => paying((await imageWish(shopper)).wish)(shopper, nth),
  // The third of them uses a coupon up; the others find that it is gone.
  (shopper, nth) => paying(nth === 3 * 9 - 1 ? { ...helpDesk, coupon: demoClaims.linHalf } : helpDesk)(shopper, nth),
];
