import { AccountId, ProviderId, UserId } from '@yunshi/kernel/ids';
import { Role } from '@yunshi/http/auth';
import { Problem } from '@yunshi/http/problem';
import type { Routes } from '@yunshi/http/server';
import { z } from 'zod';
import type { Admit } from '../limits/admission.ts';
import { tokenLifeS, type DevIssuer } from './issuer.ts';
import { personas } from './personas.ts';

const names = personas.map(({ name }) => name) as [string, ...string[]];

const Persona = z
  .object({
    name: z.string(),
    title: z.string(),
    display_name: z.string(),
    user_id: UserId,
    account_id: AccountId,
    provider_id: ProviderId.optional(),
    roles: z.array(Role),
  })
  .meta({ id: 'Persona' });
const Token = z.object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int() }).meta({ id: 'Token' });

/** Who one can be, tokens for them, and the documents of an OIDC issuer by which the services verify these. */
export const devIssuerRoutes =
  ({ issuer, url, admit }: { issuer: DevIssuer; url: string; admit: Admit }): Routes =>
  async (app) => {
    const tags = ['development'];
    app.get(
      '/v1/dev/personas',
      {
        config: { access: 'public' },
        schema: { tags, summary: 'Everybody you can be', response: { 200: z.object({ items: z.array(Persona) }) } },
      },
      () => ({
        items: personas.map(({ name, title, displayName, caller }) => ({
          name,
          title,
          display_name: displayName,
          user_id: caller.userId,
          account_id: caller.accountId,
          ...(caller.providerId && { provider_id: caller.providerId }),
          roles: [...caller.roles],
        })),
      }),
    );
    app.post(
      '/v1/dev/token',
      {
        config: { access: 'public' },
        onRequest: admit.signIn,
        schema: {
          tags,
          summary: 'Get a token as one of the personas',
          body: z.strictObject({ persona: z.enum(names) }).meta({ id: 'TokenRequest' }),
          response: { 200: Token },
        },
      },
      async (request) => {
        const persona = personas.find(({ name }) => name === request.body.persona);
        if (!persona) throw new Problem('not-found');
        const access_token = await issuer.token(persona.caller, { name: persona.displayName });
        return { access_token, token_type: 'Bearer' as const, expires_in: tokenLifeS };
      },
    );
    const document = { access: 'public', undocumented: 'a document of OpenID Connect, with a place of its own' } as const;
    app.get('/.well-known/jwks.json', { config: document }, (_request, reply) =>
      reply.header('cache-control', 'public, max-age=300').type('application/jwk-set+json').send(issuer.jwks),
    );
    app.get('/.well-known/openid-configuration', { config: document }, () => ({
      issuer: url,
      jwks_uri: `${url}/.well-known/jwks.json`,
      id_token_signing_alg_values_supported: ['EdDSA'],
      subject_types_supported: ['public'],
      response_types_supported: ['token'],
      claims_supported: ['sub', 'account_id', 'roles', 'provider_id', 'name'],
    }));
  };
