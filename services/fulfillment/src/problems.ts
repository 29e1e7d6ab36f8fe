import { problemTable } from '@yunshi/http/problem';

/** What this service may answer beside the common problems. Codes are API: they are never renamed. */
export const Problem = problemTable({
  'call-not-resendable': {
    status: 409,
    title: 'This call cannot be made again',
    remedy: 'Look at the instance: what the call was for has been done, or is no longer wanted.',
  },
  'servers-not-offered': {
    status: 409,
    title: 'There are no servers here',
    remedy: 'This marketplace sells no images; choose another kind of product.',
  },
  'region-not-offered': {
    status: 422,
    title: 'There are no servers in this region',
    remedy: 'Choose one of the regions that `detail` names.',
  },
  'cloud-not-available': { status: 503, title: 'The cloud gives no answer', remedy: 'Ask again in a moment.' },
  'server-not-usable': {
    status: 409,
    title: 'There is no server that could be used',
    remedy: 'Only the server of an instance that is delivered, not expired and not suspended is started, stopped or reinstalled.',
  },
  'server-busy': {
    status: 409,
    title: 'The server is being changed already',
    remedy: 'Wait until the instance shows no operation any more.',
  },
  'server-not-in-state': {
    status: 409,
    title: 'The server is not in a state for this',
    remedy: 'Start a stopped server, stop a running one, reinstall either; `server.state` of the instance tells.',
  },
  'image-not-of-product': {
    status: 422,
    title: 'The image is not one of the product',
    remedy: 'Choose one of the images in `offered`.',
  },
  'usage-not-metered': {
    status: 409,
    title: 'Nothing is metered here',
    remedy: 'Only instances whose SKU is metered 计量类 have usage: `view-usage` stands in their `operations`.',
  },
  'usage-reminder-not-settable': {
    status: 409,
    title: 'No reminder can be set now',
    remedy: 'Set it while the instance is delivered, not expired and not suspended: `set-usage-reminder` stands in its `operations` then.',
  },
  'usage-unit-not-fitting': {
    status: 422,
    title: 'The product does not count in this unit',
    remedy: 'Use m or h where time is counted, Mb or Gb where volume is: `bought` of the usage tells.',
  },
  'usage-reminder-in-hand': {
    status: 409,
    title: 'The provider is being told of another setting',
    remedy: 'Wait until the usage shows no `reminder_change` in hand.',
  },
  'usage-reminder-declined': {
    status: 409,
    title: 'The provider has declined the reminder',
    remedy: 'Choose an amount below what is left, or ask the provider; the reminder is as it was.',
  },
  'provider-not-reached': {
    status: 503,
    title: 'The provider gives no answer',
    remedy: 'Try again in a minute; nothing is known to have changed.',
  },
  'cloud-keys-full': {
    status: 409,
    title: 'There are as many active keys as there may be',
    remedy: 'Disable one with `POST /v1/provider/cloud-keys/{secret_id}/disable` first, or replace it with `…/rotate`.',
  },
  'cloud-key-disabled': { status: 409, title: 'The key is disabled', remedy: 'Issue another one with `POST /v1/provider/cloud-keys`.' },
  'api-keys-not-usable': {
    status: 409,
    title: 'There are no keys to be changed',
    remedy: 'Only an API instance that is delivered and not closed has key pairs.',
  },
  'api-key-not-found': {
    status: 404,
    title: 'The instance has no such key pair',
    remedy: 'Name one that `GET /v1/instances/{instance_id}/keys` lists.',
  },
  'api-keys-too-many': {
    status: 409,
    title: 'The instance has as many key pairs as it may',
    remedy: 'Rotate one, or wait until a rotated one is retired.',
  },
  'api-key-retired': {
    status: 409,
    title: 'This key pair has been rotated',
    remedy: 'Use the pair that took its place, or issue another.',
  },
  'product-not-forwarded': {
    status: 409,
    title: 'Calls of this product are not forwarded',
    remedy: 'Only API products have an upstream.',
  },
  'upstream-not-well': {
    status: 422,
    title: 'The upstream did not answer well',
    remedy: 'See that `GET` of the URL answers within 5 seconds, without redirecting, with a status below 500.',
  },
  'product-not-called': {
    status: 409,
    title: 'Nobody is called for this product',
    remedy: 'Only SaaS products have an endpoint of their provider.',
  },
  'endpoint-url-not-valid': {
    status: 422,
    title: 'The endpoint cannot have this URL',
    remedy: 'Use an https URL on port 443, without a query string, user name or fragment.',
  },
  'endpoint-not-verified': {
    status: 422,
    title: 'The endpoint did not prove that it knows the token',
    remedy:
      'Check URL and token, and that it answers within 5 seconds as the protocol says: `verifyInterface` with the words it was sent, or the SPI with `success`.',
  },
  'endpoint-not-set': {
    status: 409,
    title: 'The product has no debug address yet',
    remedy: 'Set it with `PUT /v1/provider/products/{product_id}/endpoint` first.',
  },
  'endpoint-not-checked': {
    status: 409,
    title: 'The debug address has not passed its online check',
    remedy:
      'Run `POST /v1/provider/products/{product_id}/endpoint/check` until a check of the address that is set now has passed; for a product with metered SKUs it has to be one that asked for usage.',
  },
  'check-running': {
    status: 409,
    title: 'An online check is running',
    remedy: 'Wait until it has ended: it is `running_check` of the endpoint.',
  },
  'product-without-skus': { status: 409, title: 'The product has nothing to buy yet', remedy: 'Give it a SKU first.' },
});
