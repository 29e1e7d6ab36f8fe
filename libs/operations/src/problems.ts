import { problemTable } from '@yunshi/http/problem';

/** What the operators' routes of every service refuse, beside the common problems. */
export const Problem = problemTable({
  'dead-letter-not-open': {
    status: 409,
    title: 'The dead letter is not open',
    remedy: 'Somebody has retried or discarded it already; read it to see who. It opens again by itself if it fails again.',
  },
  'dead-letter-too-old': {
    status: 409,
    title: 'The dead letter is too old to be retried',
    remedy: 'Other services might count the event twice. Mend what it is about by its own means, and discard the letter.',
  },
});
