import { problemTable } from '@yunshi/http/problem';

/** What this service may answer beside the common problems. Codes are API: they are never renamed. */
export const Problem = problemTable({
  'days-not-valid': {
    status: 422,
    title: 'These are no days for a chart',
    remedy: 'Let `from` lie before `to`, by no more than 366 days.',
  },
});
