import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';

/**
 * Plays the upstreams of API products whose provider has set none: whatever is called under /sandbox/upstream/<product id> is answered with
 * what came, and counted. `?status=` answers with that status. The counts are of this process alone, and gone with it.
 */
const bodyBytesMax = 32 * 1_024 * 1_024;
const shownMax = 4_096;

const Params = z.object({ productId: z.string().regex(/^prd_[0-9a-f]{32}$/), '*': z.string().optional() });
const Query = z.looseObject({ status: z.coerce.number().int().min(200).max(599).default(200) });

export const upstreamSandbox: FastifyPluginAsync = async (app) => {
  const counts = new Map<string, number>();
  app.get('/sandbox/upstream-calls/:productId', (request) => ({ calls: counts.get(Params.parse(request.params).productId) ?? 0 }));
  await app.register(async (played) => {
    played.removeAllContentTypeParsers();
    played.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bodyBytesMax }, (_request, body, done) => done(null, body));
    // Counted when the call is there, whatever becomes of its body.
    played.addHook('onRequest', async (request) => {
      const { productId } = Params.parse(request.params);
      counts.set(productId, (counts.get(productId) ?? 0) + 1);
    });
    for (const url of ['/sandbox/upstream/:productId', '/sandbox/upstream/:productId/*'])
      played.all(url, (request, reply) => {
        const { '*': path = '' } = Params.parse(request.params);
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const instance = request.headers['x-market-instance'] ?? null;
        const said = {
          method: request.method,
          path: `/${path}`,
          instance,
          bytes: body.length,
          body: body.subarray(0, shownMax).toString('utf8'),
        };
        return reply.code(Query.parse(request.query).status).send(said);
      });
  });
};
