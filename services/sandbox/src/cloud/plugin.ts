import type { Sql } from '@yunshi/db/connect';
import type { Clock } from '@yunshi/kernel/clock';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { cloudApi, type Credential } from './api.ts';
import { cloudBook, type CloudBook } from './book.ts';
import { Mishap } from './mishaps.ts';
import { cloudPage } from './pages.ts';
import { stateOf } from './server.ts';
import type { CloudServer } from './tables.ts';

export type CloudSandboxOptions = {
  readonly sql: Sql;
  /** Business time, and that of the wall, which signatures are checked by. */
  readonly clock: Clock;
  readonly wall: Clock;
  readonly credential: Credential;
};

const Next = z.strictObject({ what: Mishap, times: z.coerce.number().int().min(1).max(1_000).default(1) });

/** Plays a cloud that rents servers: its API at `POST /`, its desk at /sandbox/cloud/. */
export const cloudSandbox: FastifyPluginAsync<CloudSandboxOptions> = async (app, { sql, clock, wall, credential }) => {
  const book = cloudBook(sql);
  await app.register(cloudApi({ book, clock, wall, credential }));
  await app.register(async (desk) => deskRoutes(desk, book, clock));
};

function deskRoutes(app: FastifyInstance, book: CloudBook, clock: Clock): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 4_096 }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.get('/sandbox/cloud/', async (_request, reply) => {
    const [servers, calls, armed] = await Promise.all([book.newest(), book.calls(), book.armed()]);
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
      .header('referrer-policy', 'no-referrer')
      .send(cloudPage({ servers, calls, armed, now: clock.now() }));
  });
  app.get('/sandbox/cloud/servers', async () => {
    const now = clock.now();
    return { items: (await book.newest()).map((server) => shown(server, now)) };
  });
  app.get('/sandbox/cloud/next', async () => ({ items: await book.armed() }));
  app.post('/sandbox/cloud/next', async (request, reply) => {
    const asked = Next.safeParse(request.body);
    if (!asked.success) return reply.code(422).send({ error: z.prettifyError(asked.error) });
    await book.arm(asked.data.what, asked.data.times);
    return done(request, reply, './');
  });
  app.post('/sandbox/cloud/next/clear', async (request, reply) => {
    await book.disarm();
    return done(request, reply, '../');
  });
}

/** A person's browser goes back to the desk; a program gets no body. */
const done = (request: FastifyRequest, reply: FastifyReply, back: string): FastifyReply =>
  request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
    ? reply.redirect(back, 303)
    : reply.code(204).send();

function shown(server: CloudServer, now: Date) {
  const { clientToken: _token, asked: _asked, ...rest } = server;
  return { ...rest, state: stateOf(server, now) };
}
