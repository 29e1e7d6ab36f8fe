import type { Message, Query } from '@yunshi/contracts/define';
import { newId } from '@yunshi/kernel/ids';
import { connectBus } from '@yunshi/messaging/bus';
import { Envelope, messageOut } from '@yunshi/messaging/envelope';
import type { SagaRef } from '@yunshi/messaging/handle';
import { ask } from '@yunshi/messaging/queries';
import { afterAll } from 'vitest';
import type { z } from 'zod';
import { until } from './until.ts';

/** What a command was answered with. */
export type Answered = { readonly reply: string; readonly data: unknown };

/**
 * Another service as the service under test sees it: over the real bus it sends commands in the name of a saga, tells events, asks
 * queries, and hears what is told. Start it after the service under test, which makes the streams. It leaves after the file.
 */
export async function neighbour(natsUrl: string) {
  const name = 'neighbour';
  const nc = await connectBus(natsUrl, name);
  afterAll(() => nc.close());
  const replies: Envelope[] = [];
  nc.subscribe(`rpl.${name}`, { callback: (_, message) => void replies.push(Envelope.parse(message.json())) });

  const send = async (message: Message, saga?: SagaRef): Promise<string> => {
    const { id, subject, body } = messageOut(message, saga, new Date(), undefined);
    await nc.request(subject, body);
    return id;
  };
  const repliesTo = ({ sagaId, step, direction }: SagaRef) =>
    replies.filter(({ saga }) => saga?.sagaId === sagaId && saga.step === step && saga.direction === direction);

  return {
    /** The saga step in whose name a command is sent; each call without a saga id begins another saga. */
    step: (step: string, direction: SagaRef['direction'] = 'do', sagaId: string = newId('sag', new Date())): SagaRef => ({
      sagaId,
      step,
      direction,
      replyTo: name,
    }),
    /** Sends the command and waits for its answer. Sent again for the same step, it waits for one answer more. */
    async command(message: Message, from: SagaRef): Promise<Answered> {
      const before = repliesTo(from).length;
      await send(message, from);
      const reply = await until(() => repliesTo(from)[before], { what: `${message.type} is answered` });
      return { reply: reply.reply ?? '', data: reply.data };
    },
    /** Sends a command that is not waited for. */
    send,
    /** Tells an event. */
    tell: (event: Message) => send(event),
    ask: <D extends z.ZodType, A extends z.ZodType>(query: Query<string, D, A>, data: z.input<D>): Promise<z.output<A>> =>
      ask(nc, query, data, 5_000),
    /** Everything told under the subject from now on, and what is told later. */
    hear(subject: string): readonly Envelope[] {
      const heard: Envelope[] = [];
      nc.subscribe(subject, { callback: (_, message) => void heard.push(Envelope.parse(message.json())) });
      return heard;
    },
  };
}
