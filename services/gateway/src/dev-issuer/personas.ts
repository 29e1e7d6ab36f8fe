import type { Caller } from '@yunshi/http/auth';
import { demoPersonas } from '@yunshi/contracts/demo-world';

/** Somebody whom the development issuer can be. `name` is what is asked for. */
export type Persona = { readonly name: string; readonly title: string; readonly displayName: string; readonly caller: Caller };

export const personas: readonly Persona[] = Object.entries(demoPersonas).map(([name, persona]) => ({
  name,
  title: persona.title,
  displayName: persona.name,
  caller: {
    userId: persona.userId,
    accountId: persona.accountId,
    roles: persona.roles,
    ...('providerId' in persona && { providerId: persona.providerId }),
  },
}));
