import { problemTable, type FieldProblem, type ProblemOptions, type ProblemResponse } from '@yunshi/http/problem';
import { yuan } from '@yunshi/kernel/money';
import type { Order, OrderRefusal } from './order/order.ts';
import type { PriceRefusal } from './order/price-change.ts';
import type { RenewalRefusal } from './quote/renewal.ts';

/** What this service refuses, beside the common problems. */
export const Problem = problemTable({
  'sku-not-found': { status: 422, title: 'There is no such SKU', remedy: 'Take the SKU from the product as the catalogue shows it now.' },
  'product-withdrawn': { status: 409, title: 'The product is no longer for sale', remedy: 'Choose another product.' },
  'sku-not-on-sale': {
    status: 409,
    title: 'This SKU is not for sale',
    remedy: 'Choose one of the SKUs that the catalogue shows as on sale.',
  },
  'delivery-not-offered': {
    status: 409,
    title: 'This marketplace does not deliver products of this kind',
    remedy: 'Choose a product with another delivery type.',
  },
  'duration-not-offered': {
    status: 422,
    title: 'The SKU is not sold for this duration',
    remedy: 'Send one of the durations in `offered`.',
  },
  'quantity-not-offered': { status: 422, title: 'The SKU is not sold in this quantity', remedy: 'Stay between `minimum` and `maximum`.' },
  'amount-too-large': { status: 422, title: 'The order would cost more than one order may', remedy: 'Split it into several orders.' },
  'trial-already-taken': { status: 409, title: 'You have had the trial of this product', remedy: 'Order one of its other SKUs.' },
  'purchase-limit-reached': {
    status: 409,
    title: 'You have bought this as often as its provider allows',
    remedy: 'Choose another SKU. What ends unpaid or is refunded in full does not count against `maximum`.',
  },
  'coupon-not-usable': {
    status: 409,
    title: 'The coupon cannot be used for this order',
    remedy: 'Choose another coupon of the quote, or `none`; `reason` says what is wrong with this one.',
  },
  'instance-not-found': { status: 422, title: 'There is no such instance of yours', remedy: 'Take the instance from your own instances.' },
  'instance-not-renewable': {
    status: 409,
    title: 'The instance cannot go on like this',
    remedy: '`why` says it: a trial is converted, anything else renewed; what is closed or has no periods is bought anew.',
  },
  'server-not-configured': {
    status: 422,
    title: 'An image needs a cloud server',
    remedy: 'Send `server` with the choices of `GET /v1/server-offers`.',
  },
  'server-not-wanted': {
    status: 422,
    title: 'There is no server to be configured',
    remedy: 'Leave `server` out: only an image that is bought new has one.',
  },
  'servers-not-offered': {
    status: 409,
    title: 'There is no server for this image',
    remedy: 'This marketplace rents no servers, or the instance has none; choose another product.',
  },
  'server-choice-not-offered': {
    status: 422,
    title: 'The server cannot be had like this',
    remedy: 'Send one of the choices in `offered`; `GET /v1/server-offers` has all of them.',
  },
  'agreements-not-accepted': {
    status: 422,
    title: 'The service agreements are not accepted',
    remedy: 'Show the agreements in `missing` to the buyer, and send their names in `accepted_agreements` once they are accepted.',
  },
  'price-changed': {
    status: 409,
    title: 'The order costs something else than expected',
    remedy: 'Show the buyer a new quote, and order again with its amount and a new Idempotency-Key.',
  },
  'saga-not-waiting': { status: 409, title: 'The saga waits for nothing', remedy: 'It has ended; its log says how.' },
  'po-number-missing': {
    status: 422,
    title: 'The order has no purchase order number',
    remedy: 'Your organisation wants one on each order: send it as `po_number`.',
  },
  'order-not-awaiting-approval': { status: 409, title: 'The order waits for no approval', remedy: 'Read the order: its status tells.' },
  'own-order-not-approvable': {
    status: 409,
    title: 'Nobody approves an order of their own',
    remedy: 'Ask another approver of your organisation.',
  },
  'order-not-repriceable': {
    status: 409,
    title: 'The price of this order cannot be changed',
    remedy: 'Only an order that waits for its payment, and that its buyer has not asked to cancel, gets another price.',
  },
  'price-change-under-way': {
    status: 409,
    title: 'The price of this order is being changed already',
    remedy: 'Read the order: `price_change` tells how that ends. Then ask again.',
  },
  'price-unchanged': { status: 422, title: 'The order costs that already', remedy: 'Send another `total`.' },
  'price-above-original': {
    status: 422,
    title: 'The buyer would pay more than was confirmed',
    remedy: 'Send a `total` at which neither it nor what is left after the coupon is above the original.',
  },
  'price-below-server': {
    status: 422,
    title: "The server's part of the price is not the provider's to change",
    remedy: 'Send a `total` that is not below the price of the server.',
  },
  'too-many-price-changes': {
    status: 409,
    title: 'The price of this order was changed too often',
    remedy: 'Ask the buyer to cancel it, and to order anew.',
  },
  'order-not-deletable': {
    status: 409,
    title: 'The order cannot be deleted',
    remedy: 'Only orders that ended without a payment are deleted. Cancel an unpaid one first.',
  },
  'order-not-cancellable': {
    status: 409,
    title: 'The order can no longer be cancelled',
    remedy: 'Only unpaid orders are cancelled. Ask for a refund of what was delivered.',
  },
});

/** What is wrong with the field this time, and what the caller needs to know to do better. */
function particulars(refusal: OrderRefusal | RenewalRefusal): { readonly detail: string; readonly members?: ProblemOptions['members'] } {
  switch (refusal.code) {
    case 'sku-not-found':
    case 'product-withdrawn':
    case 'sku-not-on-sale':
    case 'delivery-not-offered':
    case 'trial-already-taken':
    case 'po-number-missing':
    case 'instance-not-found':
    case 'server-not-configured':
    case 'server-not-wanted':
    case 'servers-not-offered':
      return { detail: Problem.entries[refusal.code]?.title ?? refusal.code };
    case 'duration-not-offered': {
      const { offered } = refusal;
      const detail = offered.length > 0 ? `It is sold for ${offered.join(', ')} periods.` : 'It is not sold by periods; leave this out.';
      return { detail, members: { offered } };
    }
    case 'server-choice-not-offered': {
      const { reason, offered } = refusal;
      const detail = `${{ 'not-offered': 'Not offered', 'sold-out': 'Sold out', 'paid-after-use': 'Not sold, because it is paid after use' }[reason]}.`;
      return { detail: offered.length > 0 ? `${detail} Offered: ${offered.join(', ')}.` : detail, members: { reason, offered } };
    }
    case 'quantity-not-offered': {
      const { minimum, maximum } = refusal;
      return { detail: `It is sold in quantities from ${minimum} to ${maximum}.`, members: { minimum, maximum } };
    }
    case 'purchase-limit-reached':
      return { detail: `An account may buy it ${refusal.maximum} times.`, members: { maximum: refusal.maximum } };
    case 'amount-too-large':
      return { detail: `An order costs at most ${yuan(refusal.maximum)}.`, members: { maximum: refusal.maximum } };
    case 'instance-not-renewable':
      return { detail: `It cannot be renewed so: ${refusal.why}.`, members: { why: refusal.why } };
    case 'coupon-not-usable':
      return { detail: `The coupon cannot be used here: ${refusal.reason}.`, members: { reason: refusal.reason } };
    case 'agreements-not-accepted':
      return { detail: `Not accepted: ${refusal.missing.join(', ')}.`, members: { missing: refusal.missing } };
    case 'price-changed':
      return { detail: `The order now costs ${yuan(refusal.payable)}.`, members: { payable: refusal.payable } };
  }
}

function problemOptions(refusal: OrderRefusal | RenewalRefusal): ProblemOptions {
  const { detail, members } = particulars(refusal);
  const remedy = Problem.entries[refusal.code]?.remedy ?? '';
  const field: FieldProblem = { in: 'body', field: `/${refusal.field}`, detail, remedy };
  return { detail, errors: [field], ...(members && { members }) };
}

/** A refusal as the answer of a decision. */
export const refused = (refusal: OrderRefusal): ProblemResponse => Problem.response(refusal.code, problemOptions(refusal));
/** A refusal to be thrown, where nothing was to be stored. */
export const refusing = (refusal: OrderRefusal | RenewalRefusal): InstanceType<typeof Problem> =>
  new Problem(refusal.code, problemOptions(refusal));

/** Why the price of an order stays, as the answer of a decision. */
export function refusedPrice(refusal: PriceRefusal, { status, total }: Order): ProblemResponse {
  const remedy = Problem.entries[refusal.code]?.remedy ?? '';
  if (!('field' in refusal)) return Problem.response(refusal.code, { detail: `The order is ${status}.` });
  const detail =
    refusal.code === 'price-unchanged'
      ? `It costs ${yuan(total)} before coupons.`
      : refusal.code === 'price-below-server'
        ? `The server costs ${yuan(refusal.server)}.`
        : `The buyer confirmed ${yuan(refusal.total)} before coupons, and ${yuan(refusal.payable)} to pay.`;
  return Problem.response(refusal.code, { detail, errors: [{ in: 'body', field: '/total', detail, remedy }] });
}
