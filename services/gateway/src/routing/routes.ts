import { bearerToken, type Auth } from '@yunshi/http/auth';
import { Problem } from '@yunshi/http/problem';
import type { Routes } from '@yunshi/http/server';
import { nameRoute } from '@yunshi/telemetry/server';
import type { FastifyRequest } from 'fastify';
import type { Admit } from '../limits/admission.ts';
import type { Forwarder } from './forward.ts';
import { routeOf, type Routed } from './table.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

type Deps = { readonly auth: Auth; readonly admit: Admit; readonly forwarder: Forwarder };

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0] ?? '';

function routed(request: FastifyRequest): Routed {
  const found = routeOf(request.method, pathOf(request));
  if (!found) throw new Problem('route-not-found', { detail: `There is no ${request.method} ${pathOf(request)}.` });
  return found;
}

/** Everything under `/v1/` that is not the gateway's own: verified, counted, and handed on to the service that has it. */
export const forwardRoutes =
  ({ auth, admit, forwarder }: Deps): Routes =>
  async (app) => {
    // Bodies pass through as they are, up to the limit: signatures are made over bytes.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    app.addHook('onRequest', async (request, reply) => {
      const { needsToken, route, isSigned } = routed(request);
      nameRoute(request, route);
      const token = isSigned ? undefined : bearerToken(request.headers.authorization);
      if (token) {
        request.verified = await auth.verify(token).catch(async (error: unknown) => {
          await admit.refusedToken(request, reply);
          throw error;
        });
      }
      await admit.request(request, reply);
      if (needsToken && !token) throw new Problem('token-missing', { headers: { 'www-authenticate': 'Bearer' } });
    });

    app.addHook('preClose', async () => forwarder.endStreams());

    app.route({
      method: [...methods],
      url: '/v1/*',
      config: { access: 'public', undocumented: 'the services describe their own routes' },
      handler: (request, reply) => forwarder.forward(routed(request).to, request, reply),
    });
    app.post('/', { config: { access: 'public', undocumented: "the cloud's API `market`, for providers" } }, (request, reply) =>
      forwarder.forward(routed(request).to, request, reply),
    );
  };
