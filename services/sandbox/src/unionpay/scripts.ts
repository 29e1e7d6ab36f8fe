/** For tests: what shall go wrong next, and UnionPay's own truth. */
import type { Clock } from '@yunshi/kernel/clock';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Armed } from '../armed.ts';
import type { Book } from './book.ts';
import type { UnionpayFolder } from './keys.ts';
import { Mishap } from './mishaps.ts';

type Deps = { readonly book: Book; readonly folder: UnionpayFolder; readonly mishaps: Armed<Mishap>; readonly wall: Clock };
const NextAsk = z.object({ what: Mishap, times: z.int().min(0).max(10_000).default(1) });

export const unionpayScripts = ({ book, folder, mishaps, wall }: Deps) =>
  async function scripts(app: FastifyInstance): Promise<void> {
    app.post('/sandbox/unionpay/next', async (request, reply) => {
      const ask = NextAsk.safeParse(request.body);
      if (!ask.success) return reply.code(400).send({ code: 'invalid', message: z.prettifyError(ask.error) });
      mishaps.arm(ask.data.what, ask.data.times);
      return ask.data;
    });
    /** Another certificate takes over. */
    app.post('/sandbox/unionpay/certificates', async (_request, reply) => {
      await folder.renew(wall.now());
      return reply.code(204).send();
    });
    app.get<{ Params: { mer_id: string; number: string } }>('/sandbox/unionpay/orders/:mer_id/:number', async (request, reply) => {
      const { mer_id: merId, number } = request.params;
      const key = `${merId}:${number}`;
      const order = await book.read.order(key);
      if (!order) return reply.code(404).send({ code: 'order-unknown', message: '没有这个订单' });
      return { ...order, refunds: await book.read.refundsOf(key), notices: await book.read.noticesAbout(key) };
    });
  };
