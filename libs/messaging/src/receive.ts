import { messageProcessed } from '@yunshi/telemetry/metrics';
import type { Clock } from '@yunshi/kernel/clock';
import { crashpoint, crashpointInFlight } from './crashpoint.ts';
import { described, type DeadLetterRecords } from './dead-letters.ts';
import { buriedOut, buriedType, Envelope, replyType, stopType } from './envelope.ts';
import { Overloaded } from './faults.ts';
import type { Handler } from './handle.ts';
import type { Host } from './host.ts';
import type { Identity, Lane } from './lane.ts';

/** Deliveries of one message before it is buried. A fault of the database or the bus does not count. */
const deliveriesMax = 5;
const againMs = (deliveries: number): number => Math.min(100 * 3 ** deliveries, 60_000);
/**
 * Back-off where the message is not to blame; with jitter, so that a recovered database is not met by everything at once. Whole milliseconds:
 * a delay with a fraction is none to the server, which then delivers again at once, and again, as fast as it can.
 */
const passingMs = (host: Pick<Host, 'random'>): number => Math.round(1_000 + host.random() * 2_000);

/** A message as a stream delivers it, as far as it matters here. */
export type Delivered = {
  readonly subject: string;
  readonly headers?: (Iterable<[string, string[]]> & { readonly get: (name: string) => string }) | undefined;
  readonly info: { readonly deliveryCount: number };
  readonly json: () => unknown;
  readonly string: () => string;
  readonly ack: () => void;
  /** Have it delivered again, after so many whole milliseconds. */
  readonly nak: (ms: number) => void;
};

type Parts = {
  readonly service: string;
  readonly letters: DeadLetterRecords;
  readonly clock: Pick<Clock, 'now'>;
  readonly host: Pick<Host, 'random' | 'elapsedMs' | 'uuid'>;
  readonly lane: Lane;
  /** By message type and version. */
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly sagaReplies: Handler;
  /** Which of its connections to the bus the service has now. */
  readonly connection: () => number;
  readonly onFault: (what: string, error: unknown) => void;
};

/** Turns a delivered message into a piece of work; settles it when the work is committed, or has failed. */
export function receiver({ service, letters, clock, host, lane, handlers, sagaReplies, connection, onFault }: Parts) {
  const buried = async (message: Delivered, error: unknown): Promise<void> => {
    const headers = Object.fromEntries([...(message.headers ?? [])].map(([name, values]) => [name, values.join(', ')]));
    const { deliveryCount } = message.info;
    try {
      const envelope = Envelope.safeParse(jsonOf(message)).data;
      const news = { by: service, error: described(error) };
      const notice = envelope && buriedOut(envelope, news, clock.now(), headers['traceparent'], host.uuid);
      crashpoint('receive.before-bury');
      await letters.bury({
        source: 'message',
        name: message.subject,
        subject: message.subject,
        messageId: headers['Nats-Msg-Id'] ?? envelope?.id ?? null,
        body: message.string(),
        headers,
        error,
        attempts: deliveryCount,
        ...(notice && { notice }),
      });
      crashpoint('receive.after-bury');
      message.ack();
    } catch (fault) {
      onFault('dead letters', fault);
      message.nak(passingMs(host));
    }
  };

  const failed = (message: Delivered, error: unknown, passing: boolean, seconds: number): void => {
    onFault(`message ${message.subject}`, error);
    const isLast = !passing && message.info.deliveryCount >= deliveriesMax;
    messageProcessed({ subject: message.subject, outcome: isLast ? 'buried' : 'again', seconds });
    if (passing) return message.nak(passingMs(host));
    if (isLast) return void buried(message, error);
    message.nak(againMs(message.info.deliveryCount));
  };

  function work(envelope: Envelope): { readonly handler: Handler; readonly data: unknown; readonly identity: Identity } {
    const { id } = envelope;
    if (envelope.type === replyType || envelope.type === stopType || envelope.type === buriedType)
      return { handler: sagaReplies, data: envelope, identity: { kind: 'message', id } };
    const handler = handlers.get(`${envelope.type}.v${envelope.version}`);
    if (!handler) throw new Error(`nobody here handles ${envelope.type} v${envelope.version}`);
    if (handler.on !== 'command') return { handler, data: handler.parse(envelope.data), identity: { kind: 'message', id } };
    if (!envelope.saga) throw new Error(`command ${envelope.type} does not say which saga asks`);
    return { handler, data: handler.parse(envelope.data), identity: { kind: 'command', id, from: envelope.saga } };
  }

  return (delivered: Delivered): void => {
    const message = settledOn(connection, delivered);
    const receivedMs = host.elapsedMs();
    const seconds = () => (host.elapsedMs() - receivedMs) / 1_000;
    let taken: ReturnType<typeof work>;
    try {
      taken = work(Envelope.parse(message.json()));
    } catch (error) {
      // It will not read better the next time.
      onFault(`message ${message.subject}`, error);
      return void buried(message, error);
    }
    try {
      lane.push({
        ...taken,
        key: taken.handler.key(taken.data as never),
        traceparent: message.headers?.get('traceparent') || undefined,
        done: () => {
          crashpoint('receive.before-ack');
          message.ack();
          crashpointInFlight('receive.after-ack');
          messageProcessed({ subject: message.subject, outcome: 'committed', seconds: seconds() });
        },
        failed: (error, passing) => failed(message, error, passing, seconds()),
      });
    } catch (error) {
      if (!(error instanceof Overloaded)) onFault(`message ${message.subject}`, error);
      message.nak(passingMs(host));
    }
  };
}

/**
 * Settles the message on the connection that it came by, and on no later one. An acknowledgement says no more than stream, durable and
 * number: sent to a server that has lost its streams meanwhile, it would settle whichever message has that number now, unread.
 */
function settledOn(connection: () => number, delivered: Delivered): Delivered {
  const cameBy = connection();
  return {
    subject: delivered.subject,
    headers: delivered.headers,
    get info() {
      return delivered.info;
    },
    json: () => delivered.json(),
    string: () => delivered.string(),
    ack: () => {
      if (connection() === cameBy) delivered.ack();
    },
    nak: (ms) => {
      if (connection() === cameBy) delivered.nak(ms);
    },
  };
}

function jsonOf(message: Delivered): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}
