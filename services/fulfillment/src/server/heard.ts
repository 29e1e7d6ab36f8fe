import type { CloudOutcome, CloudRequest, SeenServer } from '../cloud/calls.ts';
import { serverPolicy } from '../cloud/policy.ts';
import { asking, heard, ofAllAttempts } from '../instance/instance.ts';
import type { Instance, Outcome, Step } from '../instance/instance.ts';
import { heardOfRenewal } from '../instance/renewal.ts';
import { isHosted, isolated, observed, released, type Hosted } from './server.ts';

/** What the cloud has said to what was asked of it for an instance, in the words in which every delivery is decided on: pure. */

type Called = { readonly outcome: CloudOutcome; readonly attempt: number };

export function heardOfCloud(instance: Hosted, request: CloudRequest, { outcome, attempt }: Called, now: Date): Step {
  const isCurrent = request.seq === instance.callSeq && request.task === instance.task;
  const known = withSeen(named(instance, outcome), seenIn(outcome), { isCurrent });
  const said = ofAllAttempts(inGeneral(known, outcome, now), attempt);
  // A refusal ends a delivery at once; an attempt before it, of which nothing is known, may have made a server all the same.
  const asked: Hosted = attempt > 1 && request.task === 'create' ? { ...known, mayExist: true } : known;
  const step = request.task === 'renew' ? heardOfRenewal(asked, request, said, now) : heard(asked, request, said, now);
  return withServer(lateComer(step, request, outcome, now), request, { said, isCurrent });
}

const isNamedIn = (outcome: CloudOutcome): boolean =>
  seenIn(outcome) !== undefined || (outcome.kind === 'pending' && outcome.serverId !== undefined);
const seenIn = (outcome: CloudOutcome): SeenServer | undefined => ('seen' in outcome ? outcome.seen : undefined);

/** The cloud has named a server: from then on it is looked for by its id, and released when it is not wanted. */
function named(instance: Hosted, outcome: CloudOutcome): Hosted {
  const serverId = seenIn(outcome)?.serverId ?? (outcome.kind === 'pending' ? outcome.serverId : undefined);
  return serverId === undefined ? instance : { ...instance, signId: instance.signId ?? serverId, mayExist: true };
}

function withSeen(instance: Hosted, seen: SeenServer | undefined, { isCurrent }: { readonly isCurrent: boolean }): Hosted {
  if (seen === undefined) return instance;
  const isBusy = instance.server.operation !== null;
  return isCurrent && !isBusy ? { ...instance, server: observed(instance.server, seen) } : instance;
}

function inGeneral(instance: Instance, outcome: CloudOutcome, now: Date): Outcome {
  switch (outcome.kind) {
    case 'ready':
      return { kind: 'delivered', signId: outcome.seen.serverId, access: outcome.access, ...paidUntil(outcome.seen) };
    case 'pending':
      return { kind: 'pending' };
    case 'done':
      return { kind: 'agreed', ...paidUntil(outcome.seen) };
    case 'absent':
      return isLookedFor(instance, now) ? { kind: 'pending' } : { kind: 'agreed' };
    case 'refused':
      return { kind: 'declined', refusal: 'server-not-made' };
    case 'failed':
      return { kind: 'failed', sent: outcome.sent };
  }
}

const paidUntil = (seen: SeenServer | undefined): { expiresAt?: Date } =>
  seen === undefined || seen.expiresAt === null ? {} : { expiresAt: new Date(seen.expiresAt) };

/** Nobody has ever seen it, but the request that makes it may still be on its way. */
const isLookedFor = ({ signId, taskSince }: Instance, now: Date): boolean =>
  signId === null && now.getTime() - (taskSince ?? now).getTime() < serverPolicy.lookForMs;

/** A server that shows itself only after its order was given up, and nothing was left to be released: it is released now. */
function lateComer(step: Step, { task }: CloudRequest, outcome: CloudOutcome, now: Date): Step {
  const { instance } = step;
  const isOver = instance.status === 'failed' || instance.status === 'closed';
  if (task !== 'create' || !isNamedIn(outcome) || !isOver || instance.task === 'destroy') return step;
  return { ...step, ...asking(instance, 'destroy', now) };
}

/** The server follows its instance. */
function withServer(step: Step, { task }: CloudRequest, { said, isCurrent }: { said: Outcome; isCurrent: boolean }): Step {
  const { instance } = step;
  if (!isHosted(instance)) return step;
  const nothingIsLeft = instance.status === 'failed' && !instance.mayExist;
  if (nothingIsLeft || (isCurrent && said.kind === 'agreed' && task === 'destroy'))
    return { ...step, instance: { ...instance, server: released(instance.server) } };
  if (isCurrent && said.kind === 'agreed' && task === 'expire')
    return { ...step, instance: { ...instance, server: isolated(instance.server) } };
  return step;
}
