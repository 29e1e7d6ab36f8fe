import { SpanKind, type Span } from '@opentelemetry/api';
import { startSpan, traceparentOf, unrecorded } from '@yunshi/telemetry/trace';
import type { Work } from './lane.ts';

const verbs = { message: 'process', command: 'process', write: 'write', deadline: 'deadline', call: 'outcome', wake: 'wake' } as const;

const messaging = (operation: 'process' | 'publish', type: 'process' | 'send', subject: string, id: string) => ({
  'messaging.system.name': 'nats',
  'messaging.operation.name': operation,
  'messaging.operation.type': type,
  'messaging.destination.name': subject,
  'messaging.message.id': id,
});

/** The span of one piece of work, from being queued to being committed. It is a child of what caused the work: one purchase is one trace. */
export function workSpan({ identity, handler, traceparent }: Work): Span {
  const instead = unrecorded(traceparent);
  if (instead) return instead;
  const name = `${verbs[identity.kind]} ${handler.subject ?? handler.name}`;
  if (identity.kind !== 'message' && identity.kind !== 'command') return startSpan(name, { parent: traceparent });
  const attributes = messaging('process', 'process', handler.subject ?? handler.name, identity.id);
  return startSpan(name, { kind: SpanKind.CONSUMER, parent: traceparent, attributes });
}

/** The span of handing one message to the stream; the message carries its traceparent. */
export const publishSpan = (subject: string, messageId: string, traceparent: string | undefined): Span =>
  unrecorded(traceparent) ??
  startSpan(`publish ${subject}`, {
    kind: SpanKind.PRODUCER,
    parent: traceparent,
    attributes: messaging('publish', 'send', subject, messageId),
  });

/**
 * The database's part of a batch: one span for its transaction, not one for each statement. It belongs to the first piece of work that
 * is being recorded; the others are linked, because a span can have one parent only. Nothing where nobody records.
 */
export function transactionSpan(batch: readonly { readonly span: Span }[]): Span | undefined {
  const [first, ...others] = batch.map(({ span }) => span).filter((span) => span.isRecording());
  return (
    first &&
    startSpan('transaction', {
      kind: SpanKind.CLIENT,
      parent: traceparentOf(first),
      attributes: { 'db.system.name': 'postgresql', 'db.query.summary': 'transaction', 'db.operation.batch.size': batch.length },
      links: others.map((span) => ({ context: span.spanContext() })),
    })
  );
}
