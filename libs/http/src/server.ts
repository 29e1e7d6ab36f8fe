import { randomBytes, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import fastifySwagger from '@fastify/swagger';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyRequest,
  type RouteOptions,
} from 'fastify';
import {
  createSerializerCompiler,
  fastifyZodOpenApiPlugin,
  fastifyZodOpenApiTransformers,
  validatorCompiler,
  type FastifyPluginAsyncZodOpenApi,
} from 'fastify-zod-openapi';
import { isAnyZodType } from 'zod-openapi/api';
import { sendProblem } from './answer.ts';
import { bearerToken, checkAccess, type Auth } from './auth.ts';
import type {} from './caller.ts';
import { EventStreams } from './events.ts';
import { problemOf } from './faults.ts';
import { limitHandlers } from './handler-limit.ts';
import { hearOut } from './hear-out.ts';
import { idempotencyKey } from './idempotency.ts';
import { openApiDocument, type OpenApiDocument, type RouteFacts } from './openapi.ts';
import { commonProblems, Problem, type ProblemEntries } from './problem.ts';
import { looseObjects } from './strict.ts';

/** A group of routes; its handlers know their request's type from its zod schemas. */
export type Routes = FastifyPluginAsyncZodOpenApi;

export type ReadyChecks = Readonly<Record<string, () => Promise<unknown>>>;

export type HttpLimits = {
  readonly bodyBytesMax: number;
  /** For a client to send its whole request. */
  readonly requestMsMax: number;
  /** For a handler to answer; event streams have limits of their own. */
  readonly handlerMsMax: number;
  /** An idle connection is kept this long: longer than the gateway's pool keeps it, so that the pool never uses a closing one. */
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
  /** For what is in hand when the server stops. */
  readonly stopMsMax: number;
};
export const httpLimits: HttpLimits = {
  bodyBytesMax: 256 * 1_024,
  requestMsMax: 15_000,
  handlerMsMax: 15_000,
  keepAliveMs: 72_000,
  connectionsMax: 4_096,
  stopMsMax: 10_000,
};

export type HttpServerOptions = {
  /** The service, as it appears in the API description. */
  readonly name: string;
  readonly routes: readonly Routes[];
  /** What must work before this server should get requests: `{ database: () => sql`select 1`, nats: … }`. */
  readonly ready?: ReadyChecks;
  /** Required as soon as one route is not public. */
  readonly auth?: Auth;
  readonly logger?: FastifyBaseLogger;
  /** The `entries` of the service's own `problemTable`. */
  readonly problems?: ProblemEntries;
  readonly limits?: Partial<HttpLimits>;
  /** Plugins that bring their own public routes, which are no part of the API: an explorer, documents for people. */
  readonly pages?: readonly FastifyPluginAsync[];
  /** Makes the answer at /openapi.json out of this server's own description. */
  readonly describe?: (own: OpenApiDocument) => OpenApiDocument | Promise<OpenApiDocument>;
  /** Only when something of ours stands in front: the addresses whose `X-Forwarded-For` is believed. */
  readonly trustProxy?: string | string[];
};

export type HttpServer = {
  readonly app: FastifyInstance;
  /** Every route, as the router knows it. */
  readonly facts: readonly RouteFacts[];
  /** This server's own API description. */
  readonly description: () => OpenApiDocument;
  /** Listens (port 0: a free one) and answers the URL. */
  readonly listen: (at: { readonly port: number; readonly host: string }) => Promise<string>;
  /** Takes nothing new, finishes what is in hand, ends event streams. */
  readonly stop: () => Promise<void>;
};

/** An API answer is data: no browser should guess at it, draw it, frame it or keep it. Pages say otherwise for themselves. */
const safeHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

const readyMsMax = 2_000;
const requestIdPattern = /^[\w.-]{8,128}$/;
const traceparentPattern = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

function traceIdOf(request: FastifyRequest): string {
  const active = trace.getActiveSpan()?.spanContext();
  if (active && isSpanContextValid(active)) return active.traceId;
  const header = request.headers['traceparent'];
  const incoming = typeof header === 'string' ? traceparentPattern.exec(header)?.[1] : undefined;
  return incoming ?? randomBytes(16).toString('hex');
}

function factsOf(route: RouteOptions, method: string, table: ProblemEntries): RouteFacts {
  const at = `${method} ${route.url}`;
  const { access, idempotency, problems = [] } = route.config ?? {};
  if (!access) throw new Error(`${at}: say who may use it, in config.access`);
  const unknown = problems.filter((code) => !(code in table));
  if (unknown.length > 0) throw new Error(`${at}: not in this server's problem table: ${unknown.join(', ')}`);
  const { body, querystring, params } = route.schema ?? {};
  for (const [part, schema] of Object.entries({ body, querystring })) {
    const loose = isAnyZodType(schema) ? looseObjects(schema) : [];
    if (loose.length > 0) throw new Error(`${at}: ${part} ${loose.join(', ')} would drop unknown keys; use z.strictObject`);
  }
  const hasInput = Boolean(body ?? querystring ?? params);
  return { method, url: route.url, access, idempotency: idempotency === 'required', problems, hasInput };
}

type Watch = { readonly facts: RouteFacts[]; watching: boolean };

/** Collects the facts of all routes, and refuses to start with a route that does not say what it must. */
function watchRoutes(app: FastifyInstance, table: ProblemEntries, hasAuth: boolean): Watch {
  const watch: Watch = { facts: [], watching: true };
  const { facts } = watch;
  app.addHook('onRoute', (route) => {
    if (!watch.watching || route.config?.undocumented) return;
    for (const method of [route.method].flat()) {
      if (method === 'HEAD') continue;
      const fact = factsOf(route, method, table);
      if (fact.access !== 'public' && !hasAuth) throw new Error(`${method} ${route.url} needs a token, but the server has no auth`);
      facts.push(fact);
    }
  });
  return watch;
}

function identify(app: FastifyInstance, auth: Auth | undefined): void {
  app.decorateRequest('verified', null);
  app.decorateRequest('traceId', '');
  app.addHook('onRequest', async (request, reply) => {
    request.traceId = traceIdOf(request);
    void reply.headers({ 'x-request-id': request.id, ...safeHeaders });
    const { access = 'public' } = request.routeOptions.config;
    if (request.is404 || access === 'public') return;
    const token = bearerToken(request.headers.authorization);
    if (!token || !auth) throw new Problem('token-missing', { headers: { 'www-authenticate': 'Bearer' } });
    request.verified = await auth.verify(token);
    checkAccess(access, request.verified.caller);
  });
  app.addHook('preValidation', async (request) => {
    if (request.routeOptions.config.idempotency === 'required') idempotencyKey(request.headers['idempotency-key']);
  });
}

/** The service says when it begins to refuse. A line with a stack for each refusal would be more work for who has too much of it already. */
const isOverload = (error: unknown): boolean => error instanceof Error && error.name === 'Overloaded';

function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler(async (error, request, reply) => {
    const problem = problemOf(error);
    const { status } = problem.entry;
    if (status >= 500 && !isOverload(error))
      request.log.error({ err: error, code: problem.code, trace_id: request.traceId }, 'a request failed');
    else request.log.debug({ err: error, code: problem.code }, 'a request was refused');
    if (problem.code === 'body-too-large') await hearOut(request.raw);
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new Problem('route-not-found', { detail: `There is no ${request.method} ${request.url.split('?', 1)[0]}.` })),
  );
  app.addHook('onResponse', async (request, reply) => {
    const { undocumented } = request.routeOptions.config;
    if (undocumented) return;
    const { method, routeOptions } = request;
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    request.log.info({ method, route: routeOptions.url, status: reply.statusCode, ms, trace_id: request.traceId }, 'answered');
  });
}

/** What node could not read as HTTP never becomes a request; it is answered on the socket. */
function refuseSocket(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = new Problem(error.code === 'HPE_HEADER_OVERFLOW' ? 'headers-too-large' : 'request-not-valid');
  const body = JSON.stringify(problem.document());
  const { status } = problem.entry;
  socket.end(
    `HTTP/1.1 ${status} ${status === 431 ? 'Request Header Fields Too Large' : 'Bad Request'}\r\nconnection: close\r\n` +
      `content-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

async function check(run: () => Promise<unknown>): Promise<'ok' | 'failing'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error('no answer')), readyMsMax)));
  try {
    await Promise.race([run(), late]);
    return 'ok';
  } catch {
    return 'failing';
  } finally {
    clearTimeout(timer);
  }
}

function addHealth(app: FastifyInstance, ready: ReadyChecks, isStopping: () => boolean): void {
  const config = { access: 'public', undocumented: 'health, for the machine that runs us' } as const;
  app.get('/livez', { config }, () => ({ status: 'alive' }));
  app.get('/readyz', { config }, async (_, reply) => {
    const entries = await Promise.all(Object.entries(ready).map(async ([name, run]) => [name, await check(run)] as const));
    const good = !isStopping() && entries.every(([, state]) => state === 'ok');
    const status = isStopping() ? 'stopping' : good ? 'ready' : 'not ready';
    return reply.code(good ? 200 : 503).send({ status, checks: Object.fromEntries(entries) });
  });
}

function newApp(limits: HttpLimits, { logger, trustProxy }: HttpServerOptions): FastifyInstance {
  const app = Fastify({
    ...(logger && { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: 0,
    forceCloseConnections: 'idle',
    // Our own gateway is the only one in front of a service, and names each request.
    requestIdHeader: false,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID();
    },
    routerOptions: { maxParamLength: 128 },
    http: { maxHeaderSize: 16_384 },
    clientErrorHandler: refuseSocket,
    ...(trustProxy !== undefined && { trustProxy }),
  }) as unknown as FastifyInstance;
  app.server.maxConnections = limits.connectionsMax;
  app.setValidatorCompiler(validatorCompiler);
  // What has passed its schema is plain JSON. A stringifier generated from the schema is slower: it checks every alternative once more.
  app.setSerializerCompiler(createSerializerCompiler({ stringify: JSON.stringify }));
  return app;
}

/** An HTTP server with everything that all our servers share: limits, tokens, problems, health, API description, graceful stop. */
export async function httpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { name, routes, pages = [], ready = {}, auth, problems = {}, describe = (own) => own } = options;
  const limits = { ...httpLimits, ...options.limits };
  const table = { ...commonProblems, ...problems };
  let stopping = false;
  const app = newApp(limits, options);
  app.decorate('eventStreams', new EventStreams());
  await app.register(fastifyZodOpenApiPlugin);
  await app.register(fastifySwagger, {
    openapi: { openapi: '3.1.0', info: { title: name, version: '1' } },
    ...fastifyZodOpenApiTransformers,
  });
  limitHandlers(app, limits.handlerMsMax);
  const watch = watchRoutes(app, table, auth !== undefined);
  const { facts } = watch;
  identify(app, auth);
  answerProblems(app);
  addHealth(app, ready, () => stopping);
  app.get('/openapi.json', { config: { access: 'public', undocumented: 'the description itself' } }, () =>
    describe(openApiDocument(app, facts, table)),
  );
  for (const group of routes) await app.register(group);
  watch.watching = false;
  for (const page of pages) await app.register(page);
  app.addHook('preClose', async () => app.eventStreams.endAll());
  await app.ready();
  return {
    app,
    facts,
    description: () => openApiDocument(app, facts, table),
    listen: ({ port, host }) => app.listen({ port, host }),
    async stop() {
      stopping = true;
      // Connections that are still busy after the limit are cut: the process must be able to end.
      const cut = setTimeout(() => app.server.closeAllConnections(), limits.stopMsMax);
      await app.close().finally(() => clearTimeout(cut));
    },
  };
}
