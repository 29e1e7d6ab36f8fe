import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { Sql } from '@yunshi/db/connect';
import { SaasRequest } from '@yunshi/protocols/saas/actions';
import { verify } from '@yunshi/protocols/saas/signature';
import { z } from 'zod';
import { behaviours } from './answer.ts';
import type { Said } from './answer.ts';
import { judge, tencent } from './judge.ts';
import { receiveSpi, spiDoor } from './spi.ts';
import { remind } from './reminder.ts';
import { providerBook } from './book.ts';
import type { ProviderBook } from './book.ts';
import { applicationPage, deskPage, frontPage, noEntryPage, overviewPage } from './pages.ts';

export type ProviderSandboxOptions = {
  sql: Sql;
  /** Freshness of signatures is a matter of the wall clock, also where business time is moved. */
  wallNow: () => Date;
  tokenOf: (providerId: string) => string;
  /** Where a browser finds this sandbox, if not at the address that the marketplace calls. */
  publicUrl?: string;
};

const bodyBytesMax = 64 * 1024;
/** A `timeout` script holds the connection no longer than this, so that a forgotten one cannot pile up. */
const silenceMsMax = 60_000;

const Where = z.object({ providerId: z.string().regex(/^[\w-]{1,64}$/) });
const OfOrder = z.object({ order_id: z.string().optional() });
/** A form sends empty fields; a program leaves them out. */
const Count = z.preprocess((value) => (value === '' ? undefined : value), z.coerce.number().int().min(1).optional());
const Script = z.object({
  action: z.enum([
    'verifyInterface',
    'createInstance',
    'renewInstance',
    'modifyInstance',
    'expireInstance',
    'destroyInstance',
    'flowQuery',
    'flowSetting',
  ]),
  behaviour: z.enum(behaviours),
  times: Count,
  product_number: Count,
});

/** Plays SaaS providers: each under /sandbox/provider/<provider id>/, with the endpoint at …/deliver. */
export const providerSandbox: FastifyPluginAsync<ProviderSandboxOptions> = async (app, options) => {
  const book = providerBook(options.sql);
  const siteOf = (request: FastifyRequest, providerId: string) =>
    `${options.publicUrl ?? `${request.protocol}://${request.host}`}/sandbox/provider/${providerId}`;

  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: bodyBytesMax }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );

  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof z.ZodError) return reply.code(400).send({ error: z.prettifyError(error) });
    throw error;
  });

  await app.register(async (endpoint) => {
    // The raw text, whatever the content type: the protocol's own examples forget to send one.
    endpoint.removeAllContentTypeParsers();
    endpoint.addContentTypeParser('*', { parseAs: 'string', bodyLimit: bodyBytesMax }, (_request, body, done) => done(null, body));
    endpoint.post('/sandbox/provider/:providerId/deliver', async (request, reply) => {
      const { providerId } = Where.parse(request.params);
      const text = typeof request.body === 'string' ? request.body : '';
      const said = await receive(book, options, { providerId, query: request.query, text, siteUrl: siteOf(request, providerId) });
      return say(said, request, reply);
    });
  });
  app.get('/sandbox/provider/:providerId/spi', async (request, reply) => {
    const { providerId } = Where.parse(request.params);
    return say(await receiveSpi(book, options, { providerId, query: request.query, siteUrl: siteOf(request, providerId) }), request, reply);
  });

  app.get('/sandbox/provider', async (_request, reply) => sendPage(reply, overviewPage(await book.providers())));
  app.get('/sandbox/provider/:providerId/', async (request, reply) => {
    const { providerId } = Where.parse(request.params);
    const [instances, requests, scripts] = await Promise.all([
      book.instances(providerId),
      book.requests(providerId),
      book.scripts(providerId),
    ]);
    return sendPage(reply, deskPage(providerId, instances, requests, scripts));
  });
  doors(app, book);
  spiDoor(app, book, options);
  controls(app, book);
  meter(app, book, options);
};

async function receive(
  book: ProviderBook,
  { wallNow, tokenOf }: ProviderSandboxOptions,
  call: { providerId: string; query: unknown; text: string; siteUrl: string },
): Promise<Said> {
  const { providerId, text, siteUrl, query } = call;
  const parsed = SaasRequest.safeParse(readJson(text));
  const verdict = verify(tokenOf(providerId), query as Record<string, unknown>, wallNow().getTime());
  return judge(book, { providerId, verdict, action: parsed.data?.action ?? '?', text, request: parsed.data, siteUrl }, tencent, wallNow());
}

function say(said: Said, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!('silence' in said)) {
    return reply
      .code(said.status)
      .headers({ 'content-type': 'application/json; charset=utf-8', ...said.headers })
      .send(said.body);
  }
  reply.hijack();
  if (said.silence === 'hang-up') request.raw.socket.destroy();
  else request.raw.socket.setTimeout(silenceMsMax, () => request.raw.socket.destroy());
  return reply;
}

/** The delivered application: its website and its single sign-on. */
function doors(app: Parameters<FastifyPluginAsync>[0], book: ProviderBook): void {
  app.get('/sandbox/provider/:providerId/app', async (request, reply) =>
    sendPage(reply, frontPage(Where.parse(request.params).providerId, false)),
  );
  app.post('/sandbox/provider/:providerId/app', async (request, reply) => {
    const { providerId } = Where.parse(request.params);
    const { login, password } = z.object({ login: z.string(), password: z.string() }).parse(request.body);
    const instance = await book.instance(providerId, { login });
    return instance?.password === password
      ? sendPage(reply, applicationPage(instance, 'password'))
      : sendPage(reply.code(401), frontPage(providerId, true));
  });
  app.get('/sandbox/provider/:providerId/sso', async (request, reply) => {
    const { providerId } = Where.parse(request.params);
    const { sign_id: signId, ticket } = z.object({ sign_id: z.string(), ticket: z.string() }).parse(request.query);
    const instance = await book.instance(providerId, { signId });
    return instance?.ticket === ticket ? sendPage(reply, applicationPage(instance, 'sso')) : sendPage(reply.code(403), noEntryPage());
  });
}

/** What tests and people turn: scripts in, records out. */
function controls(app: Parameters<FastifyPluginAsync>[0], book: ProviderBook): void {
  const done = (request: FastifyRequest, reply: FastifyReply, back: string) =>
    request.headers['content-type']?.startsWith('application/json') ? reply.code(204).send() : reply.redirect(back, 303);

  app.post('/sandbox/provider/:providerId/script', async (request, reply) => {
    const { providerId } = Where.parse(request.params);
    const asked = Script.safeParse(request.body);
    if (!asked.success) return reply.code(422).send({ error: z.prettifyError(asked.error) });
    const { action, behaviour, times, product_number: productNumber } = asked.data;
    await book.addScript(providerId, { action, behaviour, productNumber, times });
    return done(request, reply, './');
  });
  app.post('/sandbox/provider/:providerId/script/clear', async (request, reply) => {
    await book.clearScripts(Where.parse(request.params).providerId);
    return done(request, reply, '../');
  });
  app.get('/sandbox/provider/:providerId/instances', async (request) => ({
    items: await book.instances(Where.parse(request.params).providerId, OfOrder.parse(request.query).order_id),
  }));
  app.get('/sandbox/provider/:providerId/requests', async (request) => ({
    items: await book.requests(Where.parse(request.params).providerId, OfOrder.parse(request.query).order_id),
  }));
}

const Use = z.strictObject({ add: z.coerce.number().min(0).max(1e12).optional(), to: z.coerce.number().min(0).max(1e12).optional() });
const CloudKey = z.strictObject({ secret_id: z.string().min(1), secret_key: z.string().min(1), endpoint: z.url() });
const Instance = Where.extend({ signId: z.string().max(128) });

/** What a buyer uses of what is metered, and the provider's key for telling the marketplace of it. */
function meter(app: Parameters<FastifyPluginAsync>[0], book: ProviderBook, { wallNow }: Pick<ProviderSandboxOptions, 'wallNow'>): void {
  app.put('/sandbox/provider/:providerId/cloud-key', async (request, reply) => {
    const { providerId } = Where.parse(request.params);
    const { secret_id: secretId, secret_key: secretKey, endpoint } = CloudKey.parse(request.body);
    await book.keepCloudKey(providerId, { secretId, secretKey, endpoint });
    return reply.code(204).send();
  });
  app.post('/sandbox/provider/:providerId/instances/:signId/usage', async (request, reply) => {
    const { providerId, signId } = Instance.parse(request.params);
    const used = await book.use(providerId, signId, Use.parse(request.body));
    if (used === undefined) return reply.code(404).send({ error: 'there is nothing metered that is in use' });
    const { flow, left, isDue } = used;
    const key = isDue ? await book.cloudKey(providerId) : undefined;
    const reminded = key && (await remind(key, { providerId, signId }, used, wallNow()));
    if (reminded?.ok) await book.warned(providerId, signId);
    if (request.headers['content-type']?.startsWith('application/x-www-form')) return reply.redirect('../../', 303);
    return { ...flow, left, is_due: isDue, reminded: reminded ?? (isDue ? { ok: false, why: 'there is no cloud key' } : null) };
  });
}

const sendPage = (reply: FastifyReply, text: string): FastifyReply =>
  reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
    .header('referrer-policy', 'no-referrer')
    .send(text);

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
