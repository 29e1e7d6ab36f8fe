import type { FastifyInstance } from 'fastify';
import type { Access } from './auth.ts';
import type { ProblemEntries } from './problem.ts';

/** What the server knows of a route beside its schemas. */
export type RouteFacts = {
  readonly method: string;
  readonly url: string;
  readonly access: Access;
  readonly idempotency: boolean;
  readonly problems: readonly string[];
  readonly hasInput: boolean;
};

export type Operation = {
  operationId?: string;
  tags?: string[];
  security?: object[];
  parameters?: object[];
  responses?: Record<string, unknown>;
  [extension: `x-${string}`]: unknown;
};
export type OpenApiDocument = {
  openapi: string;
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  servers?: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components?: Record<string, Record<string, unknown>>;
  [extension: string]: unknown;
};

const idempotencyHeader = {
  in: 'header',
  name: 'Idempotency-Key',
  required: true,
  description: 'A new random key for each new action; the same key whenever it is repeated, which then gets the first answer again.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

/** `/v1/orders/:order_id` is `/v1/orders/{order_id}` in OpenAPI. */
export const openApiPath = (url: string): string => url.replaceAll(/:(\w+)/g, '{$1}');

/** `POST /v1/orders/{order_id}/cancel` → `postOrdersByOrderIdCancel`: stable as long as the route is. */
const operationIdOf = (method: string, path: string): string =>
  method.toLowerCase() +
  path
    .replace(/^\/v\d+/, '')
    .split('/')
    .filter((step) => step !== '')
    .map((step) => (step.startsWith('{') ? `by_${step.slice(1, -1)}` : step))
    .flatMap((step) => step.split(/[^A-Za-z0-9]+/))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

function codesOf(route: RouteFacts): string[] {
  const { access, idempotency, hasInput, problems } = route;
  return [
    ...(hasInput ? ['request-not-valid'] : []),
    ...(idempotency ? ['idempotency-key-missing', 'idempotency-key-reused'] : []),
    ...(access === 'public' ? [] : ['token-missing', 'token-not-valid', 'token-expired']),
    ...(typeof access === 'string' ? [] : ['role-not-allowed']),
    'too-many-requests',
    'internal-error',
    'unavailable',
    ...problems,
  ];
}

function problemResponses(codes: readonly string[], table: ProblemEntries): Record<string, unknown> {
  const byStatus = Map.groupBy(new Set(codes), (code) => table[code]!.status);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      String(status),
      {
        description: ofStatus.map((code) => `\`${code}\`: ${table[code]!.title}`).join('\n\n'),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

/** Adds what the schemas do not say: who may call, which problems come back, the idempotency header. */
function complete(operation: Operation, path: string, route: RouteFacts, table: ProblemEntries): Operation {
  const { method, access, idempotency } = route;
  // fastify's own answer for a route without a response schema says nothing.
  const { 200: ok, ...others } = operation.responses ?? {};
  const empty = JSON.stringify(ok) === JSON.stringify({ description: 'Default Response' }) && Object.keys(others).length > 0;
  const declared = empty || ok === undefined ? others : { 200: ok, ...others };
  return {
    ...operation,
    operationId: operation.operationId ?? operationIdOf(method, path),
    security: access === 'public' ? [] : [{ token: [] }],
    ...(typeof access !== 'string' && { 'x-roles': access }),
    ...(idempotency && { parameters: [...(operation.parameters ?? []), idempotencyHeader] }),
    responses: { ...problemResponses(codesOf(route), table), ...declared },
  };
}

const problemSchemas = {
  FieldProblem: {
    type: 'object',
    required: ['in', 'field', 'detail', 'remedy'],
    properties: {
      in: { type: 'string', enum: ['body', 'query', 'path', 'header'] },
      field: { type: 'string', description: 'JSON pointer to the field', examples: ['/lines/0/quantity'] },
      detail: { type: 'string' },
      remedy: { type: 'string' },
    },
  },
  Problem: {
    type: 'object',
    description: 'A problem, as RFC 9457 describes it',
    required: ['type', 'title', 'status', 'code', 'detail', 'remedy'],
    properties: {
      type: { type: 'string', description: 'Resolves to the explanation of the code', examples: ['/problems/not-found'] },
      title: { type: 'string' },
      status: { type: 'integer' },
      code: { type: 'string', description: 'Stable: programs decide by it', examples: ['not-found'] },
      detail: { type: 'string' },
      remedy: { type: 'string' },
      instance: { type: 'string', description: 'The path that was asked' },
      errors: { type: 'array', items: { $ref: '#/components/schemas/FieldProblem' } },
      trace_id: { type: 'string' },
    },
  },
};

/** The server's OpenAPI 3.1 document: the schemas as @fastify/swagger collected them, completed by the routes' config. */
export function openApiDocument(app: FastifyInstance, routes: readonly RouteFacts[], table: ProblemEntries): OpenApiDocument {
  const document = app.swagger() as unknown as OpenApiDocument;
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const path = openApiPath(route.url);
    const method = route.method.toLowerCase();
    const operation = document.paths[path]?.[method];
    if (operation) paths[path] = { ...paths[path], [method]: complete(operation, path, route, table) };
  }
  return {
    ...document,
    paths,
    components: {
      ...document.components,
      schemas: { ...document.components?.['schemas'], ...problemSchemas },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
    // The gateway explains every code at /problems, and takes the explanations from here.
    'x-problems': table,
  };
}
