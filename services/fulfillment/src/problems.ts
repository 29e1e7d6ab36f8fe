import { problemTable } from '@yunshi/http/problem';

/** What this service may answer beside the common problems. Codes are API: they are never renamed. */
export const Problem = problemTable({
  'call-not-resendable': {
    status: 409,
    title: 'This call cannot be made again',
    remedy: 'Look at the instance: what the call was for has been done, or is no longer wanted.',
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
    title: 'The endpoint did not pass verifyInterface',
    remedy: 'Check URL and token, and that the endpoint answers `{"echoback": …}` with the words it was sent, within 5 seconds.',
  },
});
