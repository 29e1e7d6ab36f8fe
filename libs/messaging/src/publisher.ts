import { createInbox, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { OpenPublisher, PubAck } from './relay.ts';

/** Headers as they stand on the wire: the client's own set brings every name of every message into its canonical form. */
const headersOf = (lines: readonly string[]): MsgHdrs => {
  const encoded = Buffer.from(`NATS/1.0\r\n${lines.join('\r\n')}\r\n\r\n`);
  return { encode: () => encoded } as unknown as MsgHdrs;
};

/** Publishes to JetStream. One inbox subscription takes all acknowledgements. */
export const publisherOn =
  (nc: NatsConnection, jsm: JetStreamManager, onFault: (what: string, error: unknown) => void): OpenPublisher =>
  (acknowledged) => {
    const inbox = createInbox();
    const subscription = nc.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        if (error) return onFault('acknowledgement', error);
        // No data: nobody listens on the subject, because the stream is missing. The row stays and is swept up.
        const ack: PubAck = message.data.length > 0 ? message.json<PubAck>() : { error: { description: 'no stream takes the subject' } };
        acknowledged(message.subject.slice(inbox.length + 1), ack);
      },
    });
    return {
      publish({ id, subject, body, stream, traceparent }, token) {
        const headers = headersOf([
          `Nats-Msg-Id: ${id}`,
          `Nats-Expected-Stream: ${stream}`,
          ...(traceparent ? [`traceparent: ${traceparent}`] : []),
        ]);
        nc.publish(subject, body, { headers, reply: `${inbox}.${token}` });
      },
      serverId: () => nc.info?.server_id ?? '',
      async stream(name) {
        const { created, state } = await jsm.streams.info(name);
        return { created: String(created), lastSeq: state.last_seq };
      },
      flush: () => nc.flush(),
      close: () => subscription.unsubscribe(),
    };
  };
