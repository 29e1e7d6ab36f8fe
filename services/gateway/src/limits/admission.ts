import { Problem } from '@yunshi/http/problem';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Rate } from '../config.ts';

export type Rates = { readonly account: Rate; readonly address: Rate; readonly signIn: Rate };

/** Counts requests, and refuses with 429 what is too many. Each instance counts for itself. */
export type Admit = {
  /** Counts against the caller's account, or against the address when nobody is known. */
  readonly request: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** Somebody tries tokens. */
  readonly refusedToken: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** Somebody asks for a token. */
  readonly signIn: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
};

/** draft-ietf-httpapi-ratelimit-headers: the policy by name, what is left of it, and when it is whole again. */
function tell(reply: FastifyReply, name: string, { requests, seconds }: Rate, res: RateLimiterRes): void {
  const resetS = Math.max(1, Math.ceil(res.msBeforeNext / 1_000));
  void reply.header('ratelimit-policy', `"${name}";q=${requests};w=${seconds}`);
  void reply.header('ratelimit', `"${name}";r=${res.remainingPoints};t=${resetS}`);
}

function limiter(name: string, rate: Rate) {
  const counts = new RateLimiterMemory({ points: rate.requests, duration: rate.seconds });
  return async (key: string, reply: FastifyReply): Promise<void> => {
    const res = await counts.consume(key).catch((thrown: unknown) => {
      if (thrown instanceof RateLimiterRes) return thrown;
      throw thrown;
    });
    tell(reply, name, rate, res);
    if (res.consumedPoints <= rate.requests) return;
    const resetS = Math.max(1, Math.ceil(res.msBeforeNext / 1_000));
    throw new Problem('too-many-requests', {
      detail: `More than ${rate.requests} requests in ${rate.seconds} s.`,
      headers: { 'retry-after': String(resetS) },
    });
  };
}

/** An IPv6 subscriber has a whole /64 of addresses to come from; all of them are one. */
export function addressKey(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const full = [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${full.slice(0, 4).join(':')}::/64`;
}

export function admission(rates: Rates): Admit {
  const account = limiter('account', rates.account);
  const address = limiter('address', rates.address);
  const signIn = limiter('sign-in', rates.signIn);
  return {
    request: (request, reply) =>
      request.verified ? account(request.verified.caller.accountId, reply) : address(addressKey(request.ip), reply),
    refusedToken: (request, reply) => signIn(addressKey(request.ip), reply),
    signIn: (request, reply) => signIn(addressKey(request.ip), reply),
  };
}
