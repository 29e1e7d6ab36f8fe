/** `/v3/bill/…`: where a merchant gets its bills. */
import type { FastifyInstance } from 'fastify';
import type { Bills } from './billing.ts';
import { refusals } from './refusal.ts';
import { answer } from './wire.ts';

export function billRoutes(app: FastifyInstance, bills: Bills): void {
  app.get('/v3/bill/tradebill', async ({ query, host }, reply) => answer(reply, await bills.trade(query, host)));
  app.get('/v3/bill/fundflowbill', async ({ query, host }, reply) => answer(reply, await bills.flow(query, host)));
  app.get('/v3/ecommerce/bill/fundflowbill', async ({ query, host }, reply) => answer(reply, await bills.sealed(query, host)));
  app.get<{ Querystring: { token?: string } }>('/v3/billdownload/file', async ({ query }, reply) => {
    const file = await bills.download(query.token ?? '');
    if (!file) return answer(reply, { ok: false, error: refusals.billUrlOver });
    return reply.type('application/octet-stream').send(file);
  });
}
