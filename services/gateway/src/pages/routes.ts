import { sendProblem } from '@yunshi/http/answer';
import { Problem, type ProblemEntries } from '@yunshi/http/problem';
import scalar from '@scalar/fastify-api-reference';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { landingPage, type LandingOptions } from './landing.ts';
import { problemPage, problemsPage } from './problems.ts';

type Catalogue = () => Promise<{ readonly problems: ProblemEntries; readonly missing: readonly string[] }>;

const nothingElse = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'";
/** The pages are HTML and a style of their own. */
const plainPolicy = `${nothingElse}; style-src 'unsafe-inline'`;
/** The explorer starts with an inline script, and styles as it goes. Nothing comes from, or goes to, anywhere but here. */
const explorerPolicy =
  `${nothingElse}; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; ` +
  "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:";

const wantsHtml = (request: FastifyRequest): boolean => (request.headers.accept ?? '').includes('text/html');
const sendPage = (reply: FastifyReply, text: string): FastifyReply =>
  reply.header('content-security-policy', plainPolicy).type('text/html; charset=utf-8').send(text);

/** Pages for people: the landing page, the explanations of the problems. For programs the latter are JSON. */
export const pages =
  (options: LandingOptions, catalogue: Catalogue): FastifyPluginAsync =>
  async (app) => {
    app.get('/', (request, reply) => sendPage(reply, landingPage(options, request.host)));
    app.get('/problems', async (request, reply) => {
      const { problems, missing } = await catalogue();
      if (wantsHtml(request)) return sendPage(reply, problemsPage(problems, missing));
      return { items: Object.entries(problems).map(([code, entry]) => ({ code, ...entry })), missing };
    });
    app.get<{ Params: { code: string } }>('/problems/:code', async (request, reply) => {
      const { code } = request.params;
      const { problems } = await catalogue();
      const entry = Object.hasOwn(problems, code) ? problems[code] : undefined;
      if (!entry) return sendProblem(reply, new Problem('not-found', { detail: `No problem has the code ${code}.` }));
      return wantsHtml(request) ? sendPage(reply, problemPage(code, entry)) : { code, ...entry };
    });
  };

/** The API explorer, with its script served from here. */
export const explorer: FastifyPluginAsync = async (app) => {
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('content-security-policy', explorerPolicy);
    // Megabytes that change only with a release.
    if (request.url.endsWith('.js')) void reply.header('cache-control', 'public, max-age=3600');
  });
  await app.register(scalar, {
    routePrefix: '/docs',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Yunshi 云市 API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
      agent: { disabled: true },
      mcp: { disabled: true },
      persistAuth: true,
      authentication: { preferredSecurityScheme: 'token' },
    },
  });
};
