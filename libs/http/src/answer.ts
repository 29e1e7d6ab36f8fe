import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpProblem } from './problem.ts';

/** A stored or fresh answer to a write, as the core's `write` resolves to. */
export type Answer = { readonly status: number; readonly body: unknown; readonly replayed?: boolean };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const aboutRequest = (request: FastifyRequest) => ({ instance: request.url.split('?', 1)[0], trace_id: request.traceId });

/** Sends what a decision answered: a result as it is, a refusal as a problem of this request. */
export function answer(reply: FastifyReply, { status, body, replayed }: Answer): FastifyReply {
  if (replayed) void reply.header('idempotent-replayed', 'true');
  void reply.code(status);
  if (status < 400 || !isObject(body)) return reply.send(body);
  return reply
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send({ ...body, ...aboutRequest(reply.request) });
}

export function sendProblem(reply: FastifyReply, problem: HttpProblem): FastifyReply {
  for (const [name, value] of Object.entries(problem.options.headers ?? {})) void reply.header(name, value);
  return answer(reply, { status: problem.entry.status, body: problem.document() });
}
