import { endpointPublished } from '@yunshi/contracts/fulfillment';
import { rowsOf } from '@yunshi/db/rows';
import type { ProductId, ProviderId } from '@yunshi/kernel/ids';
import { due, httpWrite, whenCalled, write } from '@yunshi/messaging/handle';
import type { Decision, Handler, Write } from '@yunshi/messaging/handle';
import { Problem } from '../problems.ts';
import { endpointChecks, endpoints } from '../tables.ts';
import { checkEndpoint, probeEndpoint } from './calls.ts';
import { begin, heard, meteringOf, requestOf } from './check.ts';
import type { Begin, Check } from './check.ts';
import { checkEnded, firstProbeAt, nextProbeAt, probed, publish, setDebug, startCheck, unset } from './endpoint.ts';
import type { DebugAddress, Endpoint } from './endpoint.ts';

export const endpointRows = rowsOf(endpoints, 'productId');
export const checkRows = rowsOf(endpointChecks, 'checkId');

const probeDue = 'endpoint.probe';

export const endpointHandlers: readonly Handler[] = [
  whenCalled(checkEndpoint, {
    of: endpointRows,
    decide: ({ request, outcome: { outcome: last, exchange }, attempt }, endpoint, { now }) => {
      const check = endpoint?.check;
      if (!endpoint || !check || check.checkId !== request.checkId || check.step !== request.step) return {};
      // An attempt of which nothing is known may have arrived, although the last one was never sent.
      const outcome = last.kind === 'failed' && attempt > 1 ? { ...last, sent: true } : last;
      const progress = heard(check, outcome, exchange, now);
      if (progress.ended !== undefined) {
        return { save: checkEnded(endpoint, check, progress.ended), writes: [inTheBook(endpoint, progress.check, progress.ended, now)] };
      }
      const saved = { ...endpoint, check: progress.check };
      return {
        save: saved,
        ...asking(saved, progress.check, now, progress.next?.notBefore),
        writes: [inTheBook(endpoint, progress.check, 'running', now)],
      };
    },
  }),
  due(probeDue, {
    of: endpointRows,
    decide: (productId, endpoint, { now }) => {
      if (endpoint === undefined || endpoint.publishedAt === null) return {};
      const { providerId } = endpoint;
      return {
        calls: [probeEndpoint.intent(productId, { productId, providerId })],
        deadlines: [{ kind: probeDue, key: productId, dueAt: nextProbeAt(now) }],
      };
    },
  }),
  whenCalled(probeEndpoint, {
    of: endpointRows,
    decide: ({ outcome }, endpoint, { now }) => (endpoint === undefined ? {} : { save: probed(endpoint, outcome, now) }),
  }),
];

type Of = { readonly productId: ProductId; readonly providerId: ProviderId };
const key = ({ productId }: Of) => productId;
/** A product never changes hands, but who asks for another's must not find out that it has an endpoint. */
const own = (of: Of, endpoint: Endpoint | undefined): Endpoint | undefined =>
  endpoint === undefined ? unset(of.productId, of.providerId) : endpoint.providerId === of.providerId ? endpoint : undefined;
const notFound = { response: Problem.response('not-found') };
const done = { response: { status: 200, body: null } };

export const setDebugAddress = httpWrite('set-debug-address', {
  of: endpointRows,
  key,
  decide: (ask: Of & { readonly address: DebugAddress }, endpoint: Endpoint | undefined, { now }): Decision<Endpoint> => {
    const mine = own(ask, endpoint);
    if (mine === undefined) return notFound;
    const set = setDebug(mine, ask.address, now);
    return set.ok ? { save: set.value, ...done } : { response: Problem.response(set.error) };
  },
});

/** `isPlayed`: the sandbox answers where no debug address has been set. */
export const beginCheck = httpWrite('begin-check', {
  of: endpointRows,
  key: ({ product }: Begin & { readonly isPlayed: boolean }) => product.productId,
  decide: ({ isPlayed, ...ask }, endpoint: Endpoint | undefined, { now }): Decision<Endpoint> => {
    const mine = own(ask.product, endpoint);
    if (mine === undefined) return notFound;
    if (mine.debugUrl === null && !isPlayed) return { response: Problem.response('endpoint-not-set') };
    const started = startCheck(mine, (seq) => begin(ask, seq, now), now);
    if (!started.ok) return { response: Problem.response(started.error) };
    const check = started.value.check!;
    return {
      save: started.value,
      ...asking(started.value, check, now),
      writes: [...(mine.check === null ? [] : [inTheBook(mine, mine.check, 'failed', now)]), inTheBook(mine, check, 'running', now)],
      response: { status: 202, body: { check_id: check.checkId } },
    };
  },
});

export const publishEndpoint = httpWrite('publish-endpoint', {
  of: endpointRows,
  key,
  decide: ({ isMetered, ...ask }: Of & { readonly isMetered: boolean }, endpoint: Endpoint | undefined, { now }): Decision<Endpoint> => {
    const mine = own(ask, endpoint);
    if (mine === undefined) return notFound;
    const published = publish(mine, { isMetered }, now);
    if (!published.ok) return { response: Problem.response('endpoint-not-checked') };
    const { productId, providerId, version: endpointVersion, isMetering } = published.value;
    return {
      save: published.value,
      events: [endpointPublished({ productId, providerId, endpointVersion, publishedAt: now.toISOString(), isMetering })],
      deadlines: [{ kind: probeDue, key: productId, dueAt: firstProbeAt(mine, now) }],
      ...done,
    };
  },
});

function asking({ productId, providerId }: Of, check: Check, now: Date, notBefore?: Date): Pick<Decision<Endpoint>, 'calls'> {
  const { checkId, seq: debugSeq, step } = check;
  const request = requestOf(check, { productId, providerId }, notBefore ?? now);
  const metering = meteringOf(check);
  const call = { productId, providerId, checkId, debugSeq, step, ...(request && { request }), ...(metering && { metering }) };
  return { calls: [checkEndpoint.intent(productId, call, notBefore === undefined ? {} : { notBefore })] };
}

function inTheBook({ productId, providerId }: Of, check: Check, state: 'running' | 'passed' | 'failed', now: Date): Write {
  const { checkId, startedBy, steps, results } = check;
  const startedAt = new Date(check.startedAt);
  const endedAt = state === 'running' ? null : now;
  return write(checkRows, { checkId, productId, providerId, state, startedBy, startedAt, endedAt, steps, results });
}
