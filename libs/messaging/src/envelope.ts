import { z } from 'zod';
import type { Message, Reply } from '@yunshi/contracts/define';
import { uuidv7 } from '@yunshi/kernel/ids';
import type { SagaRef } from './handle.ts';

const Ref = z.object({ sagaId: z.string(), step: z.string(), direction: z.enum(['do', 'undo']), replyTo: z.string() });

/** What stands on the wire, in JSON. `saga` on commands and replies; `reply` names which of the declared replies the data is. */
export const Envelope = z.object({
  id: z.uuid(),
  type: z.string(),
  version: z.int(),
  at: z.iso.datetime({ offset: true }),
  saga: Ref.optional(),
  reply: z.string().optional(),
  data: z.unknown(),
});
export type Envelope = z.infer<typeof Envelope>;

/** A message on its way out: one row of the outbox. */
export type Outgoing = { readonly id: string; readonly subject: string; readonly body: string; readonly traceparent: string | null };

/** The type of replies and of requests to stop, which belong to the bus and not to a contract. */
export const replyType = 'saga.reply';
export const stopType = 'saga.stop';

export const replySubject = (service: string): string => `rpl.${service}`;

function outgoing(subject: string, envelope: Omit<Envelope, 'id' | 'at'>, now: Date, traceparent: string | undefined): Outgoing {
  const id = uuidv7(now.getTime());
  return { id, subject, body: JSON.stringify({ id, at: now.toISOString(), ...envelope }), traceparent: traceparent ?? null };
}

/** An event, or a command that a saga sends. */
export const messageOut = (message: Message, saga: SagaRef | undefined, now: Date, traceparent: string | undefined): Outgoing =>
  outgoing(message.subject, { type: message.type, version: message.version, data: message.data, ...(saga && { saga }) }, now, traceparent);

export const replyOut = (to: SagaRef, reply: Reply, now: Date, traceparent: string | undefined): Outgoing =>
  outgoing(replySubject(to.replyTo), { type: replyType, version: 1, saga: to, reply: reply.reply, data: reply.data }, now, traceparent);

export const stopOut = (service: string, sagaId: string, reason: string, now: Date, traceparent: string | undefined): Outgoing =>
  outgoing(
    replySubject(service),
    { type: stopType, version: 1, saga: { sagaId, step: '', direction: 'do', replyTo: service }, data: { reason } },
    now,
    traceparent,
  );
