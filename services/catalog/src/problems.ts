import { rulesBroken } from '@yunshi/http/field-problems';
import { problemTable, type ProblemResponse } from '@yunshi/http/problem';

/** What this service refuses, beside the common problems. */
export const Problem = problemTable({
  'product-not-valid': {
    status: 422,
    title: 'The product breaks a rule of the catalogue',
    remedy: 'Correct the fields in `errors`, and send the whole product again.',
  },
  'category-not-found': { status: 422, title: 'There is no such category', remedy: 'Take one of `/v1/categories`.' },
  'shop-not-open': {
    status: 409,
    title: 'The shop has not introduced itself yet',
    remedy: 'Set name and contacts with `PUT /v1/provider/shop` first.',
  },
  'shop-name-fixed': {
    status: 409,
    title: 'A shop keeps its name',
    remedy: 'Send the name that it has: products, orders and invoices are known by it.',
  },
  'shop-has-products': { status: 409, title: 'The shop has products already', remedy: 'Use another provider for what is 自营.' },
  'category-name-fixed': {
    status: 409,
    title: 'A category keeps its name',
    remedy: 'Send the name that it has, or add another category.',
  },
  'product-changed-meanwhile': {
    status: 409,
    title: 'Somebody has changed the product since you read it',
    remedy: 'Read it again, and send your changes with the `product_version` that it has now.',
  },
  'product-not-bought': {
    status: 409,
    title: 'Only who has bought the product may review it',
    remedy: 'Review it once your order is completed.',
  },
  'product-already-reviewed': {
    status: 409,
    title: 'You have reviewed this product',
    remedy: 'Each buyer has one review of a product: see `/v1/my/reviews`.',
  },
  'review-already-so': { status: 409, title: 'The review is hidden, or shown, already', remedy: 'Look at its `status`.' },
  'endpoint-not-published': {
    status: 409,
    title: 'Nobody answers for this product yet',
    remedy:
      'Add it as a draft, set its debug address with `PUT /v1/provider/products/{product_id}/endpoint`, check it with `POST …/endpoint/check`, publish the interface with `POST …/endpoint/publish`, and then the product; an API product needs `PUT …/upstream` alone. If you have just done so, wait a second and ask again.',
  },
  'endpoint-not-metering': {
    status: 409,
    title: 'The published interface has not been checked for metered SKUs',
    remedy:
      'Keep the metered SKU off sale, run `POST /v1/provider/products/{product_id}/endpoint/check` again, which then asks for usage too, publish the interface anew with `POST …/endpoint/publish`, and put the SKU on sale a second later.',
  },
  'product-already-there': {
    status: 409,
    title: 'The product is there already',
    remedy: 'Look at its `status`: what is on the shelf cannot be published again, and what is off it cannot be withdrawn.',
  },
});

type Issues = Parameters<typeof rulesBroken>[0];

/** The rules that a draft breaks, under the names that fields have over HTTP. */
export const brokenRules = (issues: Issues): ProblemResponse => Problem.response('product-not-valid', rulesBroken(issues));
