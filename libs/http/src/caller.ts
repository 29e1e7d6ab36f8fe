import type { FastifyRequest } from 'fastify';
import type { ProviderId } from '@yunshi/kernel/ids';
import type { Access, Caller, Verified } from './auth.ts';
import { Problem } from './problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set on every route whose `config.access` is not `public`; read it by `callerOf`. */
    verified: Verified | null;
    /** 32 hexadecimal digits: of the active span, or else of the incoming `traceparent`, or else made here. */
    traceId: string;
  }
  interface FastifyContextConfig {
    access?: Access;
    /** The route needs an `Idempotency-Key`; take it by `idempotencyOf(request)`. */
    idempotency?: 'required';
    /** Codes that this route may answer beside the common ones, for the API description. */
    problems?: readonly string[];
    /** A reason to keep the route out of the API description: health, documents. */
    undocumented?: string;
  }
}

/** Who is asking. Throws on a public route, which has nobody. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.verified) throw new Problem('token-missing', { headers: { 'www-authenticate': 'Bearer' } });
  return request.verified.caller;
}

/** The provider who is asking, on routes for the role `provider`. */
export function providerOf(request: FastifyRequest): ProviderId {
  const { providerId } = callerOf(request);
  if (!providerId) throw new Problem('role-not-allowed', { detail: 'This is for providers.' });
  return providerId;
}
