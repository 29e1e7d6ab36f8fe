import { Channel } from '@yunshi/contracts/payment';
import { BankCode, bankNames } from '@yunshi/kernel/banks';
import { callerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { AttemptId, newId, OrderId, PaymentId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import type { Core } from '@yunshi/messaging/core';
import { follow, type Following } from '@yunshi/messaging/follow';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Banks } from '../mse-pay/banks.ts';
import { Problem } from '../problems.ts';
import { approveBy, channelRules, pageStays } from './channels.ts';
import { payments, type PaymentBook } from './payments.ts';
import { liveAttempt, paymentFlow, type Attempt, type AttemptStatus, type Payment, type PaymentStatus } from './state.ts';
import type { AskedChannel, Opened, PaymentWrites } from './writes.ts';

/** The saga asks for the payment right after the order is placed; a quick buyer waits for it this long. */
const PAYMENT_MS_MAX = 3_000;
/** A code is there in a fraction of a second, if the channel is well. */
const CODE_MS_MAX = 6_000;
const QUERY_MS_MAX = 4_000;
/** The channel closes what is open before the buyer can pay another way. */
const CLOSE_MS_MAX = 6_000;

const Time = z.iso.datetime({ offset: true });

const Status = z.enum(paymentFlow.states as unknown as readonly [PaymentStatus, ...PaymentStatus[]]);

const Waits = z
  .object({ who: z.enum(['maker', 'checker']).meta({ description: 'maker 制单员, checker 复核员' }), since: Time, until: Time })
  .meta({ id: 'BankWait' });

const ShownAttempt = z
  .object({
    attempt_id: AttemptId,
    channel: Channel,
    status: z.enum(['opening', 'open', 'approving', 'closing', 'closed', 'failed', 'paid', 'returned', 'revoked']).meta({
      description:
        'opening: the channel has not answered yet, read again; approving 待复核: the bank holds the voucher and waits for the checker; returned: this money could not be kept and goes back by itself; revoked 退票: the bank has taken the money back',
    }),
    amount: Fen,
    bank: z.object({ code: BankCode, name: z.string() }).nullable().meta({
      description: 'The bank that a corporate payment goes through; null for unionpay_b2b, where the company chooses it on UnionPay’s page',
    }),
    waits_for: Waits.nullable().meta({ description: 'Corporate payments: whom the bank waits for, since when and until when' }),
    redirect_url: z.url().nullable().meta({
      description:
        'Corporate payments: the page that the buyer’s browser goes to. Coming back from there proves nothing: ask with `query`. The page of unionpay_b2b can be opened again as long as the payment is not settled.',
    }),
    code_url: z.string().nullable().meta({ description: 'wechat_native: draw it as a QR code, to be scanned with WeChat' }),
    pay_page_url: z.url().optional().meta({ description: 'Sandbox only: a page that plays the payer' }),
    expires_at: Time,
    failure: z.string().nullable(),
  })
  .meta({ id: 'PaymentAttempt' });

const ShownRefund = z
  .object({
    refund_no: z.string(),
    amount: Fen,
    status: z.enum(['processing', 'delayed', 'succeeded', 'replaced']).meta({
      description: 'delayed: the marketplace has to help it along; replaced: another refund gives back the same money',
    }),
    created_at: Time,
    ended_at: Time.nullable(),
  })
  .meta({ id: 'PaymentRefund' });

const ShownPayment = z
  .object({
    payment_id: PaymentId,
    order_id: OrderId,
    amount: Fen,
    status: Status.meta({
      description: 'closing: asked back, and not yet confirmed by the channel',
    }),
    channels: z.array(Channel).meta({ description: 'What the provider can be paid through' }),
    pay_by: Time,
    paid_at: Time.nullable(),
    created_at: Time,
    attempts: z.array(ShownAttempt),
    refunds: z.array(ShownRefund),
  })
  .meta({ id: 'Payment' });

/** 账户余额: no channel, but asked for by buyers who have one. */
const BALANCE = 'account_balance';
const OpenBody = z
  .strictObject({
    order_id: OrderId,
    channel: z.enum([...Channel.options, BALANCE]).meta({
      description:
        'wechat_native 微信支付, corporate_bank 商企付, unionpay_b2b 银联企业网银. account_balance 账户余额 is refused: it cannot pay.',
    }),
    bank: BankCode.optional().meta({ description: 'corporate_bank: the bank that the company pays through' }),
  })
  .refine((body) => (body.channel === 'corporate_bank') === (body.bank !== undefined), {
    message: 'a bank is named for corporate_bank, and only for that',
    path: ['bank'],
  });
const ListQuery = z.strictObject({
  ...listQuery,
  order_id: OrderId.optional(),
  status: Status.optional(),
});
const Refresh = z.strictObject({
  refresh: z
    .stringbool({ truthy: ['true'], falsy: ['false'] })
    .optional()
    .meta({ description: 'Ask the channel first' }),
});
const Params = z.object({ payment_id: PaymentId });
const byNewest = keyset(z.tuple([Time, PaymentId]));

type Deps = {
  readonly core: Core;
  readonly book: PaymentBook;
  readonly writes: PaymentWrites;
  /** The sandbox's page for a code. */
  readonly payPageOf: (codeUrl: string) => string | undefined;
  /** Which banks are open to companies, where they can pay through one. */
  readonly banks: Banks | undefined;
};

export const paymentRoutes = (deps: Deps): Routes =>
  async function routes(app) {
    await app.register(openRoute(deps));
    await app.register(readRoutes(deps));
    await app.register(queryRoutes(deps));
    await app.register(bankRoutes(deps));
  };

const openRoute = ({ core, book, writes, payPageOf, banks }: Deps): Routes =>
  async function open(app) {
    const problems = Problem.codes(
      'not-found',
      'payment-not-ready',
      'payment-made',
      'payment-closed',
      'payment-window-over',
      'price-changing',
      'channel-not-offered',
      'bank-closed',
      'balance-cannot-pay',
      'attempt-closing',
      'bank-holds-voucher',
      'payment-stays-open',
      'too-many-attempts',
    );
    app.post(
      '/v1/payments',
      {
        config: { access: ['buyer'], idempotency: 'required', problems },
        schema: {
          summary: 'Pay an order',
          description:
            'Opens an attempt to pay, or shows the one that is open. One that is open another way is closed first; a bank that holds the voucher may refuse that, and so may a channel that closes nothing.',
          body: OpenBody,
          response: { 201: ShownPayment },
        },
      },
      async (request, reply) => {
        const { order_id: orderId, channel, bank } = request.body;
        if (channel === BALANCE) throw new Problem('balance-cannot-pay');
        const asked = { orderId, channel, bank, accountId: callerOf(request).accountId, attemptId: newId('pat', core.clock.now()) };
        const following = follow(core, payments, orderId, () => book.of(orderId));
        try {
          if (bank !== undefined && banks) await refuseClosed(banks, bank, await book.of(orderId));
          const open = () => core.write(writes.openAttempt, asked, idempotencyOf(request));
          const leave = () => core.write(writes.leaveAttempt, asked);
          const { body, replayed } = await whenFree(following, { open: () => whenReady(following, open), leave });
          const { attempt_id: opened } = body as Opened;
          const answered = (payment: Payment) => payment.attempts.some((one) => one.attemptId === opened && one.status !== 'opening');
          const payment = await following.until(answered, CODE_MS_MAX);
          if (!payment) throw new Problem('payment-not-ready');
          if (replayed) void reply.header('idempotent-replayed', 'true');
          return await reply.code(201).send(shown(payment, payPageOf));
        } finally {
          following.stop();
        }
      },
    );
  };

/** A bank that is closed leads to nothing. One whose page is open already is the bank's own to say. */
async function refuseClosed(banks: Banks, bank: BankCode, payment: Payment | undefined): Promise<void> {
  const payee = payment?.payees.corporate_bank;
  if (!payment || payee === undefined || liveAttempt(payment)?.bank === bank) return;
  const found = (await banks(payee)).banks.find(({ code }) => code === bank);
  if (found?.isOpen !== false) return;
  const detail = `${found.name}: ${found.closedBecause ?? '暂不支持'}`;
  throw new Problem('bank-closed', {
    detail,
    errors: [{ in: 'body', field: '/bank', detail, remedy: Problem.entries['bank-closed']?.remedy ?? '' }],
  });
}

/** Does it, and if the payment is not there yet, or its price is being changed, once more when it is. */
async function whenReady<T>(following: Following<Payment>, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof Problem && (error.code === 'payment-not-ready' || error.code === 'price-changing'))) throw error;
  }
  await following.until(({ pause }) => pause === null, PAYMENT_MS_MAX, { mayComeLater: true });
  return open();
}

/** Does it, and if another way to pay is open, once more when the channel has closed that. Only its word lets go: a second payment must not be possible. */
async function whenFree<T>(
  following: Following<Payment>,
  { open, leave }: { readonly open: () => Promise<T>; readonly leave: () => Promise<unknown> },
): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'attempt-open')) throw error;
  }
  // What the channel has not answered yet cannot be closed.
  await following.until((payment) => liveAttempt(payment)?.status !== 'opening', CODE_MS_MAX);
  await leave();
  const settled = await following.until((payment) => liveAttempt(payment)?.status !== 'closing', CLOSE_MS_MAX);
  const live = settled && liveAttempt(settled);
  if (live) throw new Problem(notFree(live.status));
  return open();
}

function notFree(status: AttemptStatus) {
  if (status === 'approving') return 'bank-holds-voucher';
  return status === 'closing' ? 'attempt-closing' : 'payment-stays-open';
}

const access = ['buyer', 'operator'] as const;

async function find(request: FastifyRequest, paymentId: PaymentId, book: PaymentBook): Promise<Payment> {
  const { accountId, roles } = callerOf(request);
  const payment = await book.byId(paymentId);
  if (!payment || (payment.accountId !== accountId && !roles.includes('operator'))) throw new Problem('not-found');
  return payment;
}

/** Asks the channel, and waits a little for what it says. */
async function asked(payment: Payment, { core, book, writes }: Deps): Promise<Payment> {
  if (payment.status !== 'open' && payment.status !== 'closing') return payment;
  const following = follow(core, payments, payment.orderId, () => book.of(payment.orderId));
  try {
    const { body } = await core.write(writes.askChannel, { orderId: payment.orderId });
    if (!(body as AskedChannel).asked) return payment;
    return (await following.until((now) => isNews(payment, now), QUERY_MS_MAX)) ?? payment;
  } finally {
    following.stop();
  }
}

/** An answer shows even where nothing has changed: the channel has then been asked once more. That it was asked is no answer. */
function isNews(before: Payment, now: Payment): boolean {
  const said = ({ status, attempts }: Payment) => JSON.stringify([status, attempts.map((one) => [one.status, one.checks, one.missed])]);
  return said(before) !== said(now);
}

const readRoutes = ({ book, payPageOf }: Deps): Routes =>
  async function read(app) {
    app.get(
      '/v1/payments',
      { config: { access }, schema: { summary: 'List payments', querystring: ListQuery, response: { 200: pageOf(ShownPayment) } } },
      async (request) => {
        const { limit, cursor, order_id: orderId, status } = request.query;
        const { accountId, roles } = callerOf(request);
        const last = byNewest.after(cursor);
        const after = last && { at: new Date(last[0]), paymentId: last[1] };
        const scope = { accountId: roles.includes('operator') ? undefined : accountId };
        const rows = await book.list({ ...scope, orderId, status, after, limit: limit + 1 });
        return byNewest.page(
          rows,
          limit,
          (row) => [row.createdAt.toISOString(), row.paymentId],
          (row) => shown(row, payPageOf),
        );
      },
    );
  };

const queryRoutes = (deps: Deps): Routes =>
  async function query(app) {
    const config = { access, problems: Problem.codes('not-found') };
    app.get(
      '/v1/payments/:payment_id',
      { config, schema: { summary: 'Read a payment', params: Params, querystring: Refresh, response: { 200: ShownPayment } } },
      async (request) => {
        const payment = await find(request, request.params.payment_id, deps.book);
        return shown(request.query.refresh ? await asked(payment, deps) : payment, deps.payPageOf);
      },
    );
    app.post(
      '/v1/payments/:payment_id/query',
      {
        config,
        schema: {
          summary: 'Ask the channel whether it is paid',
          description: '已完成支付: for a buyer who comes back from paying. Asked again within three seconds, the answer is what is known.',
          params: Params,
          response: { 200: ShownPayment },
        },
      },
      async (request) => shown(await asked(await find(request, request.params.payment_id, deps.book), deps), deps.payPageOf),
    );
  };

const ShownBanks = z
  .object({
    items: z.array(
      z.object({
        code: BankCode,
        name: z.string(),
        open: z.boolean(),
        closed_because: z.string().nullable().meta({ description: 'In the words of the channel' }),
        quota: Fen.nullable().meta({ description: 'The most that it carries at once; null where that is not known' }),
      }),
    ),
    as_of: Time.nullable().meta({
      description: 'When the channel said so; null: it could not be asked, and a closed bank will refuse by itself',
    }),
  })
  .meta({ id: 'PaymentBanks' });

const bankRoutes = ({ book, banks }: Deps): Routes =>
  async function list(app) {
    app.get(
      '/v1/payments/:payment_id/banks',
      {
        config: { access, problems: Problem.codes('not-found', 'channel-not-offered') },
        schema: { summary: 'The banks that a company can pay this through', params: Params, response: { 200: ShownBanks } },
      },
      async (request) => {
        const { payees } = await find(request, request.params.payment_id, book);
        if (!banks || payees.corporate_bank === undefined) throw new Problem('channel-not-offered');
        const { banks: known, asOf } = await banks(payees.corporate_bank);
        const items = known.map(({ code, name, isOpen, closedBecause, quota }) => ({
          code,
          name,
          open: isOpen,
          closed_because: closedBecause,
          quota,
        }));
        return { items, as_of: asOf?.toISOString() ?? null };
      },
    );
  };

const attemptStatus = {
  opening: 'opening',
  open: 'open',
  approving: 'approving',
  closing: 'closing',
  closed: 'closed',
  failed: 'failed',
  kept: 'paid',
  orphaned: 'returned',
  revoked: 'revoked',
} as const;
const refundStatus = {
  requested: 'processing',
  processing: 'processing',
  blocked: 'delayed',
  abnormal: 'delayed',
  closed: 'delayed',
  succeeded: 'succeeded',
  replaced: 'replaced',
} as const;

function shown(payment: Payment, payPageOf: Deps['payPageOf']): z.infer<typeof ShownPayment> {
  return {
    payment_id: payment.paymentId,
    order_id: payment.orderId,
    amount: payment.amount,
    status: payment.status,
    channels: Object.keys(payment.payees) as Channel[],
    pay_by: payment.payBy.toISOString(),
    paid_at: payment.paidAt?.toISOString() ?? null,
    created_at: payment.createdAt.toISOString(),
    attempts: payment.attempts.map((attempt) => shownAttempt(attempt, payPageOf)),
    refunds: payment.refunds.map((refund) => ({
      refund_no: refund.refundNo,
      amount: refund.amount,
      status: refundStatus[refund.status],
      created_at: refund.createdAt.toISOString(),
      ended_at: refund.endedAt?.toISOString() ?? null,
    })),
  };
}

function shownAttempt(attempt: Attempt, payPageOf: Deps['payPageOf']): z.infer<typeof ShownAttempt> {
  const { bank } = attempt;
  const isOpen = attempt.status === 'open';
  const code = isOpen ? attempt.codeUrl : null;
  const page = code === null ? undefined : payPageOf(code);
  return {
    attempt_id: attempt.attemptId,
    channel: attempt.channel,
    status: attemptStatus[attempt.status],
    amount: attempt.amount,
    bank: bank && { code: bank, name: bankNames[bank] },
    waits_for: waitsOf(attempt),
    redirect_url: isOpen || (attempt.status === 'approving' && pageStays(attempt.channel)) ? attempt.redirectUrl : null,
    code_url: code,
    ...(page !== undefined && { pay_page_url: page }),
    expires_at: attempt.expiresAt.toISOString(),
    failure: attempt.failure,
  };
}

function waitsOf(attempt: Attempt): z.infer<typeof Waits> | null {
  const until = approveBy(attempt);
  if (attempt.status === 'approving' && attempt.approvingSince && until)
    return { who: 'checker', since: attempt.approvingSince.toISOString(), until: until.toISOString() };
  if (attempt.status !== 'open' || !channelRules[attempt.channel].corporate) return null;
  return { who: 'maker', since: attempt.createdAt.toISOString(), until: attempt.expiresAt.toISOString() };
}
