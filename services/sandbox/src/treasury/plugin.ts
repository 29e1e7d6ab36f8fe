/**
 * Plays the treasury 资金系统 that pays account balances out by the way they were topped up: WeChat, QQ wallet, e-banking. A payout takes a
 * while of business time. What becomes of it is seen by its amount: one that ends in 4 fen fails, because the wallet it came from is closed.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Sql } from '@yunshi/db/connect';
import type { Clock } from '@yunshi/kernel/clock';
import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';

export type TreasuryOptions = { readonly sql: Sql; readonly clock: Clock; readonly token: string };

const TAKES_MS = 20 * 60_000;

const Params = z.object({ number: z.string().regex(/^[\w-]{1,64}$/) });
const Payout = z.strictObject({
  source: z.enum(['wechat', 'qq_wallet', 'e_banking']),
  amount: z.int().min(1),
  currency: z.literal('CNY'),
});
type Row = { readonly source: string; readonly amount: number; readonly askedAt: Date };

export const treasurySandbox: FastifyPluginAsync<TreasuryOptions> = async (app, { sql, clock, token }) => {
  app.put('/sandbox/treasury/payouts/:number', async (request, reply) => {
    if (!isSame(request.headers.authorization, `Bearer ${token}`)) return reply.code(401).send({ error: 'not a client of the treasury' });
    const { success, data: asked } = Payout.safeParse(request.body);
    if (!success) return reply.code(400).send({ error: 'not a payout' });
    const { number } = Params.parse(request.params);
    await sql`
      insert into treasury_payouts (number, source, amount, asked_at) values (${number}, ${asked.source}, ${asked.amount}, ${clock.now()})
      on conflict do nothing`;
    const [row] = await sql<Row[]>`select source, amount, asked_at as "askedAt" from treasury_payouts where number = ${number}`;
    if (row?.source !== asked.source || row.amount !== asked.amount)
      return reply.code(409).send({ error: 'the number stands for another payout' });
    if (clock.now().getTime() - row.askedAt.getTime() < TAKES_MS) return { status: 'processing' };
    return row.amount % 10 === 4 ? { status: 'failed', reason: 'the wallet is closed' } : { status: 'paid' };
  });
};

function isSame(given: string | undefined, wanted: string): boolean {
  const [one, other] = [Buffer.from(given ?? ''), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}
