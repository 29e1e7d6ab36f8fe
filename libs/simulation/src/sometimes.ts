const points = ['look', 'store', 'rollback', 'publish', 'move', 'take back', 'saw stream', 'take calls', 'tidy', 'outside call'] as const;
/** Of these nothing is heard, or what is read is not acted upon yet. */
const pointsBefore = ['ack', 'answer', 'stream seen', 'sweep', 'deadlines', 'next deadline', 'sagas', 'next saga', 'next call'] as const;

/**
 * What the seeds of CI must have come to at least once, all together. A rule that holds in twenty thousand runs says nothing about a state
 * that none of them was ever in.
 */
export const sometimes: readonly string[] = [
  ...points.flatMap((point) => [`crash at ${point}, before`, `crash at ${point}, after`]),
  ...pointsBefore.map((point) => `crash at ${point}, before`),
  // The database.
  'commit of unknown outcome',
  'connection to the database cut',
  'database shut down',
  'lost race: duplicate key value violates unique constraint "barrier_pkey"',
  'lost race: duplicate key value violates unique constraint "idempotency_pkey"',
  'lost race: duplicate key value violates unique constraint "inbox_pkey"',
  'lost race: duplicate key value violates unique constraint "instances_pkey"',
  // Messages.
  'message lost on the way to the stream',
  'acknowledgement of the stream lost',
  'acknowledgement of a delivery lost',
  'duplicate refused by the stream',
  'message delivered again',
  'message received again after its commit',
  'do after its undo',
  'publish threw',
  'message server restarted',
  'streams wiped',
  'streams wiped with messages unread',
  'message taken back to be sent again',
  // Decisions, time and requests.
  ...['command', 'deadline', 'event', 'outcome'].map((kind) => `decision broke: ${kind}`),
  'leap of business time',
  'request lost',
  'answer to a request lost',
  'request repeated with its key',
  // The outside.
  'outside call lost',
  'outside call carried out, answer lost',
  'call taken over when its lease was over',
  'callback lost',
  'callback twice',
  'callback that never comes',
  'paid in the moment of closing',
  'paid after the close',
  'profit shared',
  ...['error', 'garbage', 'hang-up', 'lost-answer', 'pending', 'status-500', 'timeout'].map((illness) => `provider: ${illness}`),
  'refund refused for lack of funds',
  ...['ABNORMAL', 'CLOSED', 'SUCCESS'].map((status) => `refund ended ${status}`),
  // The ends.
  'order ended: completed',
  'order ended: cancelled cancelled',
  ...['coupon-refused', 'payment-timeout', 'unanswered'].map((reason) => `order ended: closed ${reason}`),
  'order ended: failed not-delivered',
  ...['settled', 'settled for nothing', 'kept paid', 'kept ended', 'kept unanswered'].map((end) => `price change ended: ${end}`),
  ...['closed', 'paid', 'refunded'].map((status) => `payment ended: ${status}`),
  ...['closed', 'kept', 'orphaned late'].map((status) => `attempt ended: ${status}`),
  'refund ended: succeeded again',
  ...['closed', 'shipped', 'failed provider-failed'].map((status) => `instance ended: ${status}`),
];
