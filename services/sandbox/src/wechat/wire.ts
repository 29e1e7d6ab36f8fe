/** How requests are read and results are answered. */
import type { Result } from '@yunshi/kernel/result';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { wrongParameter, type Refusal } from './refusal.ts';

/** As it came: signatures are over it. */
export const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));

export function read<S extends z.ZodType>(shape: S, request: FastifyRequest): Result<z.output<S>, Refusal> {
  let body: unknown;
  try {
    body = JSON.parse(bodyOf(request).toString('utf8'));
  } catch {
    return { ok: false, error: wrongParameter('/body', '不是合法的 JSON') };
  }
  const parsed = shape.safeParse(body);
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  return { ok: false, error: wrongParameter(`/body/${issue?.path.join('/') ?? ''}`, issue?.message ?? '') };
}

export async function answer(reply: FastifyReply, result: Result<object | undefined, Refusal>): Promise<FastifyReply> {
  if (!result.ok) return reply.code(result.error.status).send(result.error.body);
  return result.value === undefined ? reply.code(204).send() : reply.code(200).send(result.value);
}
