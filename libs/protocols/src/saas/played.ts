import { createHmac } from 'node:crypto';

/**
 * The token that the marketplace and a provider played by the sandbox share: another one for each provider, from one secret.
 * It begins with a letter, as the tokens of real providers had better (see signature.ts).
 */
export function playedProviderToken(secret: string, providerId: string): string {
  return `t${createHmac('sha256', secret).update(providerId).digest('hex').slice(0, 31)}`;
}
