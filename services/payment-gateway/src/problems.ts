import { problemTable } from '@yunshi/http/problem';

/** What this service may answer beside the common problems. Codes are API: they are never renamed. */
export const Problem = problemTable({
  'payment-not-ready': {
    status: 409,
    title: 'The order has not asked for its payment yet',
    remedy: 'Repeat the request in a moment, with the same Idempotency-Key. If it persists, look at the order: it may need no payment.',
  },
  'payment-made': { status: 409, title: 'The order is paid already', remedy: 'Look at the payment; nothing more is to be paid.' },
  'payment-closed': { status: 409, title: 'The payment of this order is closed', remedy: 'Place a new order.' },
  'payment-window-over': { status: 409, title: 'The time to pay this order is over', remedy: 'Place a new order.' },
  'price-changing': {
    status: 409,
    title: 'The provider is changing the price of the order',
    remedy: 'Look at the order: as soon as `price_change` is settled it can be paid at its price.',
  },
  'channel-not-offered': {
    status: 409,
    title: 'The provider cannot be paid through this channel',
    remedy: 'Use one of `channels` of the payment.',
  },
  'bank-closed': {
    status: 409,
    title: 'The bank takes no payments at the moment',
    remedy: 'Choose another bank: `GET /v1/payments/{payment_id}/banks` says which are open.',
  },
  'attempt-closing': {
    status: 409,
    title: 'An earlier attempt is still being closed',
    remedy: 'Repeat the request in a moment, with the same Idempotency-Key.',
  },
  'attempt-open': {
    status: 409,
    title: 'Another way to pay this order is open',
    remedy: 'Repeat the request in a moment, with the same Idempotency-Key.',
  },
  'bank-holds-voucher': {
    status: 409,
    title: 'The bank holds the voucher of this order and does not let go of it',
    remedy: 'Have the checker approve or reject it at the bank; after a rejection any other way to pay is open again.',
  },
  'payment-stays-open': {
    status: 409,
    title: 'The payment of this order that was begun cannot be withdrawn',
    remedy:
      'Finish it by its `redirect_url`, or wait until `expires_at`: if it has not been paid by then, any other way to pay is open again.',
  },
  'too-many-attempts': { status: 409, title: 'This order was tried to be paid too often', remedy: 'Place a new order.' },
  'balance-cannot-pay': {
    status: 409,
    title: 'An account balance cannot pay for goods of the marketplace',
    remedy: 'Pay through one of `channels` of the payment. A balance 账户余额 can be withdrawn: POST /v1/wallet/withdrawals.',
  },
  'withdrawal-too-much': {
    status: 409,
    title: 'So much of this part of the balance cannot be withdrawn',
    remedy: 'Look at `parts` of GET /v1/wallet: frozen and owed amounts cannot be withdrawn.',
  },
  'withdrawal-route-closed': {
    status: 409,
    title: 'Nothing is paid out by the original route at the moment',
    remedy: 'Try again later.',
  },
  'bank-account-missing': {
    status: 409,
    title: 'No bank account is known that the money could go back to',
    remedy: 'Ask the marketplace to add the account that the top-up came from.',
  },
  'withdrawal-not-open': {
    status: 409,
    title: 'Nothing of this kind is to be decided about this withdrawal',
    remedy: 'Read it: it has ended, waits for another step, or goes by the original route, where nothing is done by hand.',
  },
  'second-person-needed': {
    status: 409,
    title: 'Whoever proposed this may not approve it',
    remedy: 'Have another operator approve it.',
  },
  'provider-not-named': {
    status: 400,
    title: 'An operator must say whose settlements are meant',
    remedy: 'Send the query parameter `provider_id`.',
  },
  'refund-not-possible': {
    status: 409,
    title: 'Nothing of this payment can be refunded by hand',
    remedy:
      'Only a completed order is refunded by hand; of one that is not, the money goes back by itself when the order fails or is cancelled.',
  },
  'refund-too-much': {
    status: 409,
    title: 'So much is not left of this payment',
    remedy: 'Ask for what was paid less all refunds of the payment that have gone through or are under way.',
  },
  'refund-not-stuck': { status: 409, title: 'This refund needs no help', remedy: 'Look at the payment: the refund is on its way or done.' },
  'channel-without-bills': {
    status: 409,
    title: 'This channel writes no bills here',
    remedy: 'Choose one of the channels that are in service.',
  },
  'day-not-over': { status: 409, title: 'The day is not over', remedy: 'Choose yesterday, in China, or an earlier day.' },
  'difference-settled': {
    status: 409,
    title: 'This difference is not open',
    remedy: 'Read it again: it is settled, has settled itself, or somebody has proposed how.',
  },
  'difference-not-proposed': {
    status: 409,
    title: 'Nobody has proposed how to settle this difference',
    remedy: 'Propose it; another operator then decides.',
  },
  'nothing-to-adjust': {
    status: 409,
    title: 'There is no amount to adjust',
    remedy: 'Both sides name the same amount: explain the difference instead.',
  },
  'refund-too-late': {
    status: 409,
    title: 'The channel refunds nothing after 365 days',
    remedy: 'Pay it out by another way, and note it in the ledger.',
  },
  'refund-too-many': {
    status: 409,
    title: 'An order has at most 50 refunds',
    remedy: 'Refund all that is left at once.',
  },
  'refund-not-abnormal': {
    status: 409,
    title: 'This refund can go on by itself',
    remedy: 'Look at the payment: it is on its way, or done.',
  },
  'revocation-not-open': {
    status: 409,
    title: 'There is no taken-back payment to be settled here',
    remedy: 'Look at the payment: it is settled already, or all of it had gone back before.',
  },
  'order-not-completed': {
    status: 409,
    title: 'The order may still fail, so that nobody could keep the money',
    remedy: 'Wait until the order is completed or has failed; keep the money meanwhile, or give it back.',
  },
  'revocation-proposed': {
    status: 409,
    title: 'Somebody has said already what becomes of this payment',
    remedy: 'Have a second operator look at it.',
  },
  'revocation-not-proposed': {
    status: 409,
    title: 'Nobody has said what becomes of this payment',
    remedy: 'Say so first, with the receipt; another operator then agrees.',
  },
  'revocation-unsettled': {
    status: 409,
    title: 'A payment that a bank took back is settled by two persons',
    remedy: 'Use settle-revocation and approve-revocation of this task.',
  },
  'channel-not-signed': {
    status: 409,
    title: 'The provider is not signed up with the channel that pays it out',
    remedy: 'Have the marketplace sign the provider up with WeChat Pay.',
  },
  'provider-withdrawal-too-much': {
    status: 409,
    title: 'So much was not released to the provider, or is on its way already',
    remedy: 'Look at `withdrawable` of GET /v1/provider/balance.',
  },
  'offline-refund-proposed': {
    status: 409,
    title: 'Somebody has said already that this was paid out by hand',
    remedy: 'Have a second operator look at it.',
  },
  'offline-refund-not-proposed': {
    status: 409,
    title: 'Nobody has said that this was paid out by hand',
    remedy: 'Say so first, with the receipt; another operator then agrees.',
  },
});
