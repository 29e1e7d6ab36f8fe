import type { z } from 'zod';
import type { Command, Event, Message, Query, Reply } from '@yunshi/contracts/define';
import type { Rows } from '@yunshi/db/rows';
import type { Saga } from '@yunshi/saga/define';
import type { Moved } from '@yunshi/saga/run';
import type { SagaRow } from './store.ts';

/** Who asked for a command: a saga, one of its steps, one direction, and the service that waits for the reply. */
export type SagaRef = {
  readonly sagaId: string;
  readonly step: string;
  readonly direction: 'do' | 'undo';
  readonly replyTo: string;
  /** Of the work that took the command in. Kept with the rest, so that an answer given days later still goes on in its trace. */
  readonly traceparent?: string;
};

/** A row of another table that is written together with the decision, as a set with those of the whole batch. */
export type Write = { readonly to: Rows<string, unknown>; readonly row: unknown };
export const write = <K extends string, R>(to: Rows<K, R>, row: R): Write => ({ to: to as unknown as Rows<string, unknown>, row });

/** A saga to begin. `key` is the business id that operators search by. */
export type SagaStart = { readonly saga: Saga; readonly id: string; readonly key: string; readonly data: unknown };
export const startSaga = <D>(
  saga: Saga<D>,
  start: { readonly id: string; readonly key: string; readonly data: NoInfer<D> },
): SagaStart => ({ saga, ...start });

/** A saga of this service that is to remember something else from now on. Made by `amendSaga`. */
export type SagaAmendment = { readonly saga: Saga; readonly row: SagaRow; readonly step: string; readonly moved: Moved<unknown> };

/** Wakes the handler `due(kind)` for the key, once, when business time has reached `dueAt`. Setting it again moves it. */
export type Deadline = { readonly kind: string; readonly key: string; readonly dueAt: Date };

/** The intent of a call that leaves the system. It is stored with the decision and carried out after the commit. */
export type CallIntent = {
  readonly kind: string;
  /** The business key: the row that the outcome belongs to. */
  readonly key: string;
  readonly request: unknown;
  /** Business time before which it is not made; at once if absent. */
  readonly notBefore?: Date;
  /** The trace that the call belongs to, where that is not the one of the request that happens to cause it. */
  readonly traceparent?: string;
};

/** What a handler wants to happen. All of it happens in one transaction, or none. */
export type Decision<R> = {
  readonly save?: R;
  /** Other rows, of any table. */
  readonly writes?: readonly Write[];
  readonly events?: readonly Message[];
  /** The answer to the command in hand. A command without one now is answered later by `answers`. */
  readonly reply?: Reply;
  /** Late answers to commands received earlier. */
  readonly answers?: readonly { readonly to: SagaRef; readonly reply: Reply }[];
  readonly start?: readonly SagaStart[];
  /** Changes what sagas remember while they wait. They are locked, so it happens with the rest or not at all. */
  readonly amend?: readonly SagaAmendment[];
  /** Asks sagas to turn back, as far as they still may. */
  readonly stop?: readonly { readonly sagaId: string; readonly reason: string }[];
  readonly deadlines?: readonly Deadline[];
  readonly cancelDeadlines?: readonly Pick<Deadline, 'kind' | 'key'>[];
  readonly calls?: readonly CallIntent[];
  /** The HTTP answer of a write. Stored under the Idempotency-Key, if there is one. */
  readonly response?: Response;
};
export type Response = { readonly status: number; readonly body: unknown };

export type Context = { readonly now: Date };

type Replies<C extends Command> = C['reply'];

/** A handler with its types erased: what the lane works with. */
export type Handler = {
  readonly on: 'command' | 'event' | 'deadline' | 'outcome' | 'write' | 'saga';
  /** Message type with version, deadline kind or call kind. */
  readonly name: string;
  readonly subject?: string;
  readonly of?: Rows<string, unknown>;
  readonly parse: (data: unknown) => unknown;
  readonly key: (data: never) => string;
  readonly beside?: { readonly of: Rows<string, unknown>; readonly key: (data: never) => string };
  readonly decide: (data: never, row: unknown, context: never) => Decision<unknown>;
};

type Reaction<Data, K extends string, R, Ctx, KB extends string = string, B = unknown> = {
  readonly of: Rows<K, R>;
  readonly key: (data: Data) => NoInfer<K>;
  /**
   * A second row that the decision needs, given as `context.beside` and changed by `writes`. Tables are locked in the order of their
   * names, so a row that may not exist yet is counted safely if its table sorts behind one whose row does exist and is locked too.
   */
  readonly beside?: { readonly of: Rows<KB, B>; readonly key: (data: Data) => NoInfer<KB> };
  /** Pure. `row` is absent where none exists yet; a second message for the same row in a batch sees the first one's result. */
  readonly decide: (data: Data, row: R | undefined, context: Ctx & { readonly beside: B | undefined }) => Decision<NoInfer<R>>;
};

const erased = (handler: unknown): Handler => handler as Handler;

/** Handles a command: once for each saga step and direction, however often it arrives; repeated ones get the stored reply again. */
export function handle<C extends Command, K extends string, R, KB extends string, B>(
  command: C,
  reaction: Reaction<z.output<C['data']>, K, R, Context & { readonly reply: Replies<C>; readonly from: SagaRef }, KB, B>,
): Handler {
  return erased({
    on: 'command',
    name: `${command.type}.v${command.version}`,
    subject: command.subject,
    parse: (data: unknown) => command.data.parse(data),
    replies: command.reply,
    ...reaction,
  });
}

/** Reacts to an event, once for each message id. */
export function on<E extends Event, K extends string, R, KB extends string, B>(
  event: E,
  reaction: Reaction<z.output<E['data']>, K, R, Context, KB, B>,
): Handler {
  return erased({
    on: 'event',
    name: `${event.type}.v${event.version}`,
    subject: event.subject,
    parse: (data: unknown) => event.data.parse(data),
    ...reaction,
  });
}

/** Reacts to a deadline that has come; `data` is the deadline's key. */
export function due<K extends string, R, KB extends string = string, B = unknown>(
  kind: string,
  reaction: Omit<Reaction<K, K, R, Context, KB, B>, 'key'>,
): Handler {
  return erased({ on: 'deadline', name: kind, parse: (data: unknown) => data, key: (key: K) => key, ...reaction });
}

/** A call that leaves the system, declared once: its request, and the outcomes that are known of it. */
export type OutsideCall<Q extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> = {
  readonly kind: string;
  readonly request: Q;
  readonly outcome: O;
  readonly intent: (key: string, request: z.input<Q>, when?: Pick<CallIntent, 'notBefore' | 'traceparent'>) => CallIntent;
};
export function outsideCall<Q extends z.ZodType, O extends z.ZodType>(
  kind: string,
  spec: { readonly request: Q; readonly outcome: O },
): OutsideCall<Q, O> {
  return { kind, ...spec, intent: (key, request, when = {}) => ({ kind, key, request: spec.request.parse(request), ...when }) };
}

/**
 * Makes the call. It may run twice for one intent (after a crash), so the request must carry a stable key of its own.
 * A thrown error is retried with back-off and recorded; every expected outcome, «unknown» included, is a value.
 */
export type Performer = {
  readonly kind: string;
  readonly perform: (
    request: never,
    context: { readonly attempt: number; readonly signal: AbortSignal; readonly callId: string },
  ) => Promise<unknown>;
};
export function performs<Q extends z.ZodType, O extends z.ZodType>(
  call: OutsideCall<Q, O>,
  perform: (
    request: z.output<Q>,
    context: { readonly attempt: number; readonly signal: AbortSignal; readonly callId: string },
  ) => Promise<z.input<O>>,
): Performer {
  return {
    kind: call.kind,
    perform: async (request: never, context) => call.outcome.parse(await perform(call.request.parse(request) as z.output<Q>, context)),
  };
}

/** Reacts to the outcome of a call. The intent is closed in the same transaction. */
export function whenCalled<Q extends z.ZodType, O extends z.ZodType, K extends string, R>(
  call: OutsideCall<Q, O>,
  reaction: {
    readonly of: Rows<K, R>;
    readonly decide: (
      called: { readonly key: K; readonly request: z.output<Q>; readonly outcome: z.output<O>; readonly attempt: number },
      row: R | undefined,
      context: Context,
    ) => Decision<NoInfer<R>>;
  },
): Handler {
  return erased({ on: 'outcome', name: call.kind, parse: (data: unknown) => data, key: (called: { key: K }) => called.key, ...reaction });
}

/** A write by HTTP: goes through the same lane as messages. Declared once beside the routes, called with `core.write`. */
export type HttpWrite<Data, K extends string, R, KB extends string = string, B = unknown> = Reaction<Data, K, R, Context, KB, B> & {
  readonly name: string;
};
export const httpWrite = <Data, K extends string, R, KB extends string, B>(
  name: string,
  reaction: Reaction<Data, K, R, Context, KB, B>,
): HttpWrite<Data, K, R, KB, B> => ({ name, ...reaction });

/** Identifies an HTTP request that must happen once: same key and same hash get the first answer again. */
export type Idempotency = { readonly account: string; readonly key: string; readonly hash: string };

/** Answers a query at once, changing nothing. */
export type Answerer = { readonly subject: string; readonly answer: (data: unknown) => Promise<unknown> };
export function answers<D extends z.ZodType, A extends z.ZodType>(
  query: Query<string, D, A>,
  answer: (data: z.output<D>) => Promise<z.input<A>>,
): Answerer {
  return { subject: query.subject, answer: async (data) => query.answer.parse(await answer(query.data.parse(data) as z.output<D>)) };
}
