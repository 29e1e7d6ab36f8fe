/** The API that platforms call: `/v3/mse-pay/…`. Every request is checked by its signature, every answer is signed. */
import { bankNames } from '@yunshi/kernel/banks';
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@yunshi/kernel/clock';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { BillRequest } from '@yunshi/protocols/mse-pay/bill';
import { fieldKeyOf, openField } from '@yunshi/protocols/mse-pay/fields';
import { CloseRequest, PaymentRequest, RedirectRequest } from '@yunshi/protocols/mse-pay/payment';
import { RefundRequest } from '@yunshi/protocols/mse-pay/refund';
import { signAnswer, verifyRequest } from '@yunshi/protocols/mse-pay/signature';
import { activeTraceparent } from '@yunshi/telemetry/trace';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { BankChannel } from './channel.ts';
import type { BankKeys } from './keys.ts';
import type { Ask } from './payment.ts';
import { refusals, type Refusal } from './refusal.ts';
import type { Maintenance } from './maintenance.ts';
import type { Mishaps } from './mishaps.ts';

const BODY_BYTES_MAX = 256 * 1024;
const FILES = '/v3/mse-pay/bill-downloads/file';

type Deps = {
  readonly channel: BankChannel;
  readonly keys: BankKeys;
  readonly pageUrl: string | undefined;
  readonly mishaps: Mishaps;
  readonly maintenance: Maintenance;
  readonly wall: Clock;
};

/** A fastify plugin: it has its own body parser, because signatures are over raw bytes. */
export const bankApi = ({ channel, keys, pageUrl, mishaps, maintenance, wall }: Deps) =>
  async function api(app: FastifyInstance): Promise<void> {
    const baseOf = (request: FastifyRequest): string => pageUrl ?? `${request.protocol}://${request.host}`;
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) => done(null, body));
    app.addHook('preHandler', async (request, reply) => {
      const refusal = mishaps.take('call-fails') ? refusals.systemError : refuse(request, keys, wall.now().getTime());
      if (refusal) return reply.code(refusal.status).send(refusal.body);
    });
    app.addHook('onSend', async (request, reply, payload) => {
      if (mishaps.take('answer-lost')) request.raw.socket.destroy();
      const body = typeof payload === 'string' ? payload : '';
      const at = { wallMs: wall.now().getTime(), nonce: randomBytes(16).toString('hex') };
      void reply.header('tbep-authorization', signAnswer(body, keys.channel, at));
      return payload;
    });

    app.post('/v3/mse-pay/payments/pc-pay', async (request, reply) => {
      const read = opened(parsed(PaymentRequest, request), request, keys);
      return answer(reply, read.ok ? await channel.place(read.value, baseOf(request), activeTraceparent()) : read);
    });
    app.get<{ Params: { id: string } }>('/v3/mse-pay/payments/:id', async (request, reply) =>
      answer(reply, await channel.query({ paymentId: request.params.id }, baseOf(request))),
    );
    app.get<{ Params: { id: string } }>('/v3/mse-pay/payments/out-payment-id/:id', async (request, reply) =>
      answer(reply, await channel.query({ outPaymentId: request.params.id }, baseOf(request))),
    );
    app.post<{ Params: { id: string } }>('/v3/mse-pay/payments/:id/close', async (request, reply) => {
      const read = parsed(CloseRequest, request);
      return answer(reply, read.ok ? await channel.close(request.params.id) : read);
    });
    app.post('/v3/mse-pay/redirects', async (request, reply) => {
      const read = parsed(RedirectRequest, request);
      return answer(reply, read.ok ? await channel.redirect(read.value.payment_id, baseOf(request)) : read);
    });
    app.get('/v3/mse-pay/bank/support_banks', async (_request, reply) =>
      answer(
        reply,
        ok(Object.entries(bankNames).map(([bank_sname, bank_name]) => ({ bank_sname, bank_name, ...maintenance.of(bank_sname) }))),
      ),
    );
    app.post('/v3/mse-pay/bill-downloads', async (request, reply) => {
      const read = parsed(BillRequest, request);
      if (!read.ok) return answer(reply, read);
      const file = await channel.bill(read.value);
      if (!file.ok) return answer(reply, file);
      const query = new URLSearchParams(Object.entries(read.value).filter(([, value]) => value !== undefined) as [string, string][]);
      const download_url = `${request.protocol}://${request.host}${FILES}?${query.toString()}`;
      return answer(reply, ok({ hash_type: 'SHA256', hash_value: createHash('sha256').update(file.value).digest('hex'), download_url }));
    });
    app.get(FILES, async (request, reply) => {
      const asked = BillRequest.safeParse(request.query);
      const file = asked.success ? await channel.bill(asked.data) : no(refusals.parameter);
      if (!file.ok) return answer(reply, file);
      const name = asked.success ? `${asked.data.bill_date}-${asked.data.bill_type}.csv` : '';
      // A file is no text to be signed: the answer's signature is over nothing.
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(Buffer.from(file.value));
    });
    app.post('/v3/mse-pay/refunds', async (request, reply) => {
      const read = parsed(RefundRequest, request);
      return answer(reply, read.ok ? await channel.refund(read.value) : read);
    });
    app.get<{ Params: { id: string } }>('/v3/mse-pay/refunds/out-refund-id/:id', async (request, reply) =>
      answer(reply, await channel.queryRefund(request.params.id)),
    );
  };

function refuse(request: FastifyRequest, keys: BankKeys, wallMs: number): Refusal | undefined {
  const wire = { method: request.method, target: request.raw.url ?? '', body: bodyOf(request) };
  const keyOf = (serial: string) => (serial === keys.platformSerial ? keys.platformPublicKey : undefined);
  const verdict = verifyRequest(request.headers.authorization, wire, keyOf, wallMs);
  if (verdict.ok) return verdict.value.platformId === keys.platformId ? undefined : refusals.signature;
  return verdict.error === 'clock-skewed' ? refusals.clock : refusals.signature;
}

function parsed<S extends z.ZodType>(shape: S, request: FastifyRequest): Result<z.output<S>, Refusal> {
  try {
    const read = shape.safeParse(JSON.parse(bodyOf(request).toString('utf8')));
    if (read.success) return ok(read.data);
    const [issue] = read.error.issues;
    const { body, status } = refusals.parameter;
    return no({ status, body: { error: { ...body.error, detail: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` } } });
  } catch {
    return no(refusals.parameter);
  }
}

/** The name of the payee comes encrypted: whoever asks must know our key. */
function opened(read: Result<Ask, Refusal>, request: FastifyRequest, keys: BankKeys): Result<Ask, Refusal> {
  if (!read.ok) return read;
  const header = request.headers['tbep-encrypt'];
  const key = fieldKeyOf(typeof header === 'string' ? header : undefined, (serial) =>
    serial === keys.channel.serial ? keys.channel.privateKey : undefined,
  );
  const name = key.ok ? openField(read.value.payee.ent_name, key.value) : no('cannot-open' as const);
  return name.ok ? ok({ ...read.value, payee: { ...read.value.payee, ent_name: name.value } }) : no(refusals.encryption);
}

async function answer(reply: FastifyReply, result: Result<object, Refusal>): Promise<FastifyReply> {
  return result.ok ? reply.code(200).send(result.value) : reply.code(result.error.status).send(result.error.body);
}

const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
