import { rulesBroken } from '@yunshi/http/field-problems';
import { problemTable, type ProblemResponse } from '@yunshi/http/problem';
import type { ClaimRefusal } from './claim/claim.ts';

export const Problem = problemTable({
  'coupon-not-valid': {
    status: 422,
    title: 'The coupon breaks a rule of the marketplace',
    remedy: 'Correct the fields in `errors`, and publish it again.',
  },
  'shop-without-products': {
    status: 409,
    title: 'The shop has no products that a coupon could be for',
    remedy: 'Add a product first. One that was added just now is known here within a second.',
  },
  'shop-not-self-operated': {
    status: 409,
    title: 'The shop is not operated by the marketplace itself',
    remedy: 'Coupons of other shops are published by their providers.',
  },
  'coupon-already-so': {
    status: 409,
    title: 'The coupon is paused, or issued, already',
    remedy: 'Look at its `status`.',
  },
  'coupon-not-open': {
    status: 409,
    title: 'This coupon cannot be claimed yet',
    remedy: 'Come back when its claim window opens: see `claim_from`.',
  },
  'coupon-closed': { status: 409, title: 'The claim window of this coupon is over', remedy: 'Look for another coupon of the shop.' },
  'coupon-paused': {
    status: 409,
    title: 'The provider has paused this coupon',
    remedy: 'Try again later; coupons that you have claimed stay usable.',
  },
  'coupon-sold-out': { status: 409, title: 'All of these coupons have been claimed', remedy: 'Look for another coupon of the shop.' },
  'coupon-limit-reached': {
    status: 409,
    title: 'You have claimed as many of this coupon as one buyer may',
    remedy: 'Use the ones that you have: see `/v1/my/coupons`.',
  },
});

const codes = {
  'not-open': 'coupon-not-open',
  closed: 'coupon-closed',
  paused: 'coupon-paused',
  'sold-out': 'coupon-sold-out',
  'limit-reached': 'coupon-limit-reached',
} as const satisfies Record<ClaimRefusal, string>;

/** The answer to a claim that is refused. */
export const refusedClaim = (refusal: ClaimRefusal) => Problem.response(codes[refusal]);
export const claimProblems = Problem.codes('not-found', ...Object.values(codes));

type Issues = Parameters<typeof rulesBroken>[0];

/** The rules that a draft breaks, under the names that fields have over HTTP. */
export const brokenRules = (issues: Issues): ProblemResponse => Problem.response('coupon-not-valid', rulesBroken(issues));
