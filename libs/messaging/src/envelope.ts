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

/** Makes a UUIDv7 for a time, in milliseconds. */
export type Uuid = (atMs: number) => string;

/** The types of replies, of requests to stop, and of news that a message has been buried: they belong to the bus and not to a contract. */
export const replyType = 'saga.reply';
export const stopType = 'saga.stop';
export const buriedType = 'saga.buried';

export const replySubject = (service: string): string => `rpl.${service}`;

function outgoing(
  subject: string,
  envelope: Omit<Envelope, 'id' | 'at'>,
  now: Date,
  traceparent: string | undefined,
  uuid: Uuid,
): Outgoing {
  const id = uuid(now.getTime());
  return { id, subject, body: JSON.stringify({ id, at: now.toISOString(), ...envelope }), traceparent: traceparent ?? null };
}

/** An event, or a command that a saga sends. */
export const messageOut = (
  { type, version, subject, data }: Message,
  saga: SagaRef | undefined,
  now: Date,
  traceparent: string | undefined,
  uuid: Uuid = uuidv7,
): Outgoing => outgoing(subject, { type, version, data, ...(saga && { saga }) }, now, traceparent, uuid);

export function replyOut(to: SagaRef, { reply, data }: Reply, now: Date, traceparent: string | undefined, uuid: Uuid = uuidv7): Outgoing {
  const { traceparent: _, ...saga } = to;
  return outgoing(replySubject(saga.replyTo), { type: replyType, version: 1, saga, reply, data }, now, traceparent, uuid);
}

export function stopOut(
  service: string,
  { sagaId, reason }: { readonly sagaId: string; readonly reason: string },
  now: Date,
  traceparent: string | undefined,
  uuid: Uuid = uuidv7,
): Outgoing {
  const saga = { sagaId, step: '', direction: 'do', replyTo: service } as const;
  return outgoing(replySubject(service), { type: stopType, version: 1, saga, data: { reason } }, now, traceparent, uuid);
}

/** What the saga is told when a message about one of its steps has become a dead letter of `by`. */
export const Buried = z.object({ by: z.string(), type: z.string(), error: z.string() });
export type Buried = z.infer<typeof Buried>;

/** The news for the saga that a message is about; none about news, which could go round in circles. */
export function buriedOut(
  { type, saga }: Envelope,
  { by, error }: { readonly by: string; readonly error: string },
  now: Date,
  traceparent: string | undefined,
  uuid: Uuid = uuidv7,
): Outgoing | undefined {
  if (!saga || type === buriedType) return undefined;
  return outgoing(replySubject(saga.replyTo), { type: buriedType, version: 1, saga, data: { by, type, error } }, now, traceparent, uuid);
}
