import { SpanKind } from '@opentelemetry/api';
import { headers as makeHeaders, type NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import type { Query } from '@yunshi/contracts/define';
import { Unavailable } from './faults.ts';
import type { Answerer } from './handle.ts';
import { span as inSpan, traceparentOf } from '@yunshi/telemetry/trace';

type Answered = { readonly answer: unknown } | { readonly error: string };

/** Asks the owner of a query. One try: the caller knows whether it can do without. */
export async function ask<D extends z.ZodType, A extends z.ZodType>(
  nc: NatsConnection,
  query: Query<string, D, A>,
  data: z.input<D>,
  timeoutMs: number,
): Promise<z.output<A>> {
  return inSpan(`ask ${query.subject}`, { kind: SpanKind.CLIENT }, async (span) => {
    const headers = makeHeaders();
    const traceparent = traceparentOf(span);
    if (traceparent !== undefined) headers.set('traceparent', traceparent);
    let answered: Answered;
    try {
      answered = (
        await nc.request(query.subject, JSON.stringify(query.data.parse(data)), { timeout: timeoutMs, headers })
      ).json<Answered>();
    } catch (error) {
      throw new Unavailable(`the ${query.service} service`, { cause: error });
    }
    if ('error' in answered) throw new Unavailable(`the ${query.service} service`, { cause: new Error(answered.error) });
    return query.answer.parse(answered.answer);
  });
}

/** Answers queries; instances of a service share the work. */
export function serveQueries(
  nc: NatsConnection,
  service: string,
  answerers: readonly Answerer[],
  onFault: (what: string, error: unknown) => void,
): void {
  for (const { subject, answer } of answerers) {
    nc.subscribe(subject, {
      queue: service,
      callback: (error, message) => {
        if (error) return onFault(subject, error);
        const traceparent = message.headers?.get('traceparent') || undefined;
        void inSpan(`answer ${subject}`, { kind: SpanKind.SERVER, parent: traceparent }, () => answer(message.json()))
          .then((value) => message.respond(JSON.stringify({ answer: value })))
          .catch((fault: unknown) => {
            onFault(subject, fault);
            message.respond(JSON.stringify({ error: fault instanceof Error ? fault.message : 'failed' }));
          });
      },
    });
  }
}
