import type { Auth, Verified } from './auth.ts';

/** As many callers as one process may meet within the time below; beyond it those not seen for longest are forgotten. */
const tokensMax = 10_000;
/** Shorter than the issuer's keys are kept, so that a key which is withdrawn counts hardly longer than without remembering. */
const rememberedMsMax = 5 * 60_000;

/**
 * Verifies each token once for as long as it is good, at most five minutes: the signature of a request's token costs more than most of
 * what requests ask for, and one caller asks for many things. What was refused is not remembered.
 */
export function remembering(auth: Auth, wallMs: () => number = Date.now): Auth {
  const known = new Map<string, { readonly verified: Verified; readonly untilMs: number }>();
  return {
    async verify(token) {
      const found = known.get(token);
      if (found) known.delete(token);
      if (found && wallMs() < found.untilMs) {
        known.set(token, found); // the newest stand last
        return found.verified;
      }
      const verified = await auth.verify(token);
      known.set(token, { verified, untilMs: Math.min(verified.expiresAtMs, wallMs() + rememberedMsMax) });
      if (known.size > tokensMax) known.delete(known.keys().next().value!);
      return verified;
    },
  };
}
