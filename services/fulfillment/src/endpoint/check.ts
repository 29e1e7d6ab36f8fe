import type { SkuSnapshot } from '@yunshi/contracts/catalog';
import { addMonths } from '@yunshi/kernel/calendar';
import type { AccountId, CheckId, InstanceId, OrderId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';
import { InstanceId as InstanceIdShape } from '@yunshi/kernel/ids';
import type { Flow, PeriodUnit } from '@yunshi/kernel/marketplace';
import type { Exchange, FlowAlert, ProviderRequest } from '../delivery/request.ts';
import type { Metered } from '../delivery/dialect.ts';
import { meteringActions, type MeteringAction } from '../delivery/log.ts';
import { waitMs } from '../instance/policy.ts';
import { isMeteredProduct, type Product } from '../product/product.ts';

/**
 * The online check 在线接口调试: a made-up buyer's life at the provider's debug address, one call after another. What was made there is
 * taken back in the end, also when a step before has failed.
 */

/** `create-again` sends the creation of the same order once more: everything here relies on its making one instance. */
export const checkSteps = [
  'verify',
  'create',
  'create-again',
  'convert',
  'query-usage',
  'set-usage-reminder',
  'renew',
  'expire',
  'destroy',
] as const;
export type CheckStep = (typeof checkSteps)[number];
const isMetering = (step: CheckStep): step is MeteringAction => (meteringActions as readonly string[]).includes(step);
/** Whether a check with these steps has seen a provider answer for what is metered 计量类. */
export const asksForUsage = (steps: readonly CheckStep[]): boolean => meteringActions.every((step) => steps.includes(step));

export const checkPolicy = {
  /** For how long a provider may answer "0" while it is checked. */
  pendingMsMax: 10 * 60_000,
  backOff: { firstMs: 2_000, factor: 1.6, msMax: 60_000, spread: 0 },
  /** A check that has said nothing for this long has been lost, and another may begin. */
  silentMsMax: 30 * 60_000,
} as const;

export type StepResult = { readonly step: CheckStep; readonly passed: boolean; readonly tries: number; readonly exchange: Exchange };

type Bought = {
  readonly skuId: SkuId;
  readonly skuName: string;
  readonly quantity: number;
  readonly period?: Period;
  readonly flow?: Flow;
};
type Period = { readonly count: number; readonly unit: PeriodUnit };

export type Check = {
  readonly checkId: CheckId;
  /** Of the debug address that is checked. */
  readonly seq: number;
  readonly startedBy: UserId;
  readonly startedAt: string;
  readonly accountId: AccountId;
  /** Made up, as the account's purchase is: of the creation, the conversion and the renewal. */
  readonly orders: { readonly creation: OrderId; readonly conversion: OrderId; readonly renewal: OrderId };
  readonly productName: string;
  readonly formal: Bought;
  /** Where the product can be tried: then the check begins with a trial. */
  readonly trial: Bought | null;
  readonly steps: readonly CheckStep[];
  readonly step: CheckStep;
  /** How often the step has been asked for, and since when; what is asked counts in `seqOfCall`. */
  readonly tries: number;
  readonly since: string;
  readonly signId: string | null;
  readonly mayExist: boolean;
  readonly results: readonly StepResult[];
};

/** What came of one step. A delivery brings credentials, which a check has no use for. */
export type CheckOutcome =
  | { readonly kind: 'verified' | 'delivered'; readonly signId?: string | undefined }
  | { readonly kind: 'pending' | 'agreed' | 'declined' }
  | { readonly kind: 'failed'; readonly sent: boolean };

export type Begin = Pick<Check, 'checkId' | 'startedBy' | 'accountId' | 'orders'> & { readonly product: Product };

export function begin({ product, ...ids }: Begin, seq: number, now: Date): Check {
  const on = product.skus.filter(({ onSale }) => onSale);
  const asksUsage = isMeteredProduct(product);
  // A metered SKU goes on sale only after it was checked.
  const metered = product.skus.find(({ flow, trialOf }) => flow !== undefined && trialOf === undefined);
  const formal = metered ?? on.find(({ trialOf }) => trialOf === undefined) ?? product.skus[0];
  if (formal === undefined) throw new Error(`product ${product.productId} has no SKU`);
  const tried = on.find(({ trialOf }) => trialOf !== undefined);
  const steps = checkSteps.filter((step) => (step === 'convert' ? tried !== undefined : asksUsage || !isMetering(step)));
  return {
    ...ids,
    seq,
    startedAt: now.toISOString(),
    productName: product.name,
    formal: bought(formal),
    trial: tried === undefined ? null : bought(tried),
    steps,
    step: 'verify',
    tries: 1,
    since: now.toISOString(),
    signId: null,
    mayExist: false,
    results: [],
  };
}

function bought({ skuId, name: skuName, price, flow }: SkuSnapshot): Bought {
  const quantity = price.model === 'per_quantity' ? price.minimum : 1;
  const unit = 'unit' in price ? price.unit : undefined;
  const count = 'durations' in price ? price.durations?.[0] : undefined;
  const period = unit !== undefined && count !== undefined && { period: { count, unit } };
  return { skuId, skuName, quantity, ...period, ...(flow && { flow }) };
}

export type Progress = { readonly check: Check; readonly next?: { readonly notBefore?: Date }; readonly ended?: 'passed' | 'failed' };

/** Takes in what a call of the check has brought, and says what is called next. */
export function heard(check: Check, outcome: CheckOutcome, exchange: Exchange, now: Date): Progress {
  const { step, tries } = check;
  const mayExist = check.mayExist || (step === 'create' && !(outcome.kind === 'failed' && !outcome.sent));
  const signId = outcome.kind === 'delivered' ? (check.signId ?? outcome.signId ?? null) : check.signId;
  const marked: Check = { ...check, mayExist, signId };
  if (outcome.kind === 'pending' && step.startsWith('create')) {
    const ends = new Date(new Date(check.since).getTime() + checkPolicy.pendingMsMax);
    if (now < ends) {
      const wanted = new Date(now.getTime() + waitMs(checkPolicy.backOff, tries, check.checkId));
      return { check: { ...marked, tries: tries + 1 }, next: { notBefore: wanted < ends ? wanted : ends } };
    }
  }
  const passed = passes(check, outcome);
  const note = passed ? undefined : whyNot(check, outcome, exchange);
  const result: StepResult = { step, passed, tries, exchange: note === undefined ? exchange : { ...exchange, note } };
  return after({ ...marked, results: [...check.results, result] }, passed, now);
}

function after(check: Check, passed: boolean, now: Date): Progress {
  const nextStep = passed ? check.steps[check.steps.indexOf(check.step) + 1] : undefined;
  // A check that fails still takes back what it may have made.
  const cleansUp = !passed && check.mayExist && check.step !== 'destroy';
  const step = cleansUp ? 'destroy' : nextStep;
  if (step !== undefined) return { check: { ...check, step, tries: 1, since: now.toISOString() }, next: {} };
  const isPassed = check.steps.every((wanted) => check.results.some((result) => result.step === wanted && result.passed));
  return { check, ended: isPassed ? 'passed' : 'failed' };
}

function passes({ step, signId }: Check, outcome: CheckOutcome): boolean {
  switch (step) {
    case 'verify':
      return outcome.kind === 'verified';
    case 'create':
      return outcome.kind === 'delivered' && outcome.signId !== undefined;
    case 'create-again':
      return outcome.kind === 'delivered' && outcome.signId === signId;
    default:
      return outcome.kind === 'agreed';
  }
}

function whyNot({ step }: Check, outcome: CheckOutcome, { note }: Exchange): string | undefined {
  if (note !== undefined) return note;
  if (outcome.kind === 'pending') return 'it answered «later» for ten minutes';
  if (outcome.kind === 'declined') return 'it declined';
  if (step === 'create-again' && outcome.kind === 'delivered') return 'the same order made another instance';
  return undefined;
}

/** Whether another check may begin. */
export const isSilent = (check: Check, now: Date): boolean => now.getTime() - new Date(check.since).getTime() > checkPolicy.silentMsMax;

/** The call of the step in hand, in nobody's dialect; none for `verify`, which is about no instance, and for what is asked about usage. */
export function requestOf(
  check: Check,
  of: { readonly productId: ProductId; readonly providerId: ProviderId },
  now: Date,
): ProviderRequest | undefined {
  const { step, orders, formal, trial, signId } = check;
  if (step === 'verify' || isMetering(step)) return undefined;
  const isCreation = step === 'create' || step === 'create-again';
  const { skuId, skuName, quantity, period, flow } = isCreation || step === 'destroy' ? (trial ?? formal) : formal;
  const orderId = step === 'convert' ? orders.conversion : step === 'renew' ? orders.renewal : orders.creation;
  return {
    task: isCreation ? 'create' : step,
    seq: 0,
    attempt: check.tries,
    createdAt: now.toISOString(),
    dueAt: now.toISOString(),
    instanceId: instanceOf(check),
    orderId,
    accountId: check.accountId,
    ...of,
    productName: check.productName,
    skuName,
    skuId,
    isTrial: trial !== null && isCreation,
    quantity,
    ...(period !== undefined && { period }),
    ...(flow !== undefined && { flow }),
    expiresAt: addMonths(now, step === 'renew' ? 2 : 1).toISOString(),
    ...(signId !== null && { signId }),
  };
}

/** What is asked about usage, where the step in hand asks that: how much there is, or to warn when a tenth of it is left. */
export function meteringOf(check: Check): (Metered & { readonly counts: Flow['unit']; readonly alert?: FlowAlert }) | undefined {
  const { step, formal, accountId, signId } = check;
  if (!isMetering(step) || signId === null) return undefined;
  const { amount, unit }: Flow = formal.flow ?? { amount: 10, unit: 'Mb' };
  const of = { accountId, instanceId: instanceOf(check), signId, counts: unit };
  if (step === 'query-usage') return of;
  return { ...of, alert: { on: true, span: String(Math.max(1, Math.floor(amount / 10))), unit } };
}

const instanceOf = ({ checkId }: Check): InstanceId => InstanceIdShape.parse(`ins_${checkId.slice(4)}`);
