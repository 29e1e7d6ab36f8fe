import type { InstanceId } from '@yunshi/kernel/ids';
import type { AccountId } from '@yunshi/kernel/ids';
import { httpWrite, whenCalled } from '@yunshi/messaging/handle';
import type { CallIntent, Handler } from '@yunshi/messaging/handle';
import { callCloud, drawServerPassword, operateServer } from '../cloud/calls.ts';
import type { OperationRequest } from '../cloud/calls.ts';
import { effects } from '../instance/handlers.ts';
import { instanceRows } from '../instance/instances.ts';
import { Problem } from '../problems.ts';
import { heardOfCloud } from './heard.ts';
import { heardOfOperation, isHosted, operate, type Hosted, type OperationKind } from './server.ts';

export const serverHandlers: readonly Handler[] = [
  whenCalled(callCloud, {
    of: instanceRows,
    decide: ({ request, outcome, attempt }, instance, { now }) =>
      isHosted(instance) ? effects(heardOfCloud(instance, request, { outcome, attempt }, now), now) : {},
  }),
  whenCalled(drawServerPassword, {
    of: instanceRows,
    decide: ({ request: { use, seq }, outcome: { password } }, instance, { now }) => {
      if (!isHosted(instance)) return {};
      const { server, task, callSeq } = instance;
      if (use === 'create') {
        if (server.password !== null || task !== 'create' || seq !== callSeq) return {};
        return effects({ instance: { ...instance, server: { ...server, password } }, call: { task, notBefore: undefined } }, now);
      }
      const { operation } = server;
      if (operation?.seq !== seq || operation.password !== null) return {};
      const ready = { ...instance, server: { ...server, operation: { ...operation, password } } };
      return { save: ready, calls: [intentOf(ready, undefined)] };
    },
  }),
  whenCalled(operateServer, {
    of: instanceRows,
    decide: ({ request, outcome }, instance, { now }) => {
      if (!isHosted(instance)) return {};
      const { instance: after, again } = heardOfOperation(instance, request.seq, outcome, now);
      if (after === instance) return {};
      return { save: after, ...(again && { calls: [intentOf(after, again)] }) };
    },
  }),
];

/** What is to be asked for the operation in hand. A server that is installed anew needs a new password first. */
function intentOf(instance: Hosted, notBefore: Date | undefined): CallIntent {
  const { instanceId, signId, server } = instance;
  const { operation, configuration } = server;
  if (operation === null || signId === null) throw new Error(`instance ${instanceId}: there is nothing to be done with its server`);
  const { kind, seq, imageId, password } = operation;
  if (kind === 'reinstall' && password === null) return drawServerPassword.intent(instanceId, { instanceId, use: kind, seq });
  const request: OperationRequest = {
    kind,
    seq,
    instanceId,
    region: configuration.region,
    serverId: signId,
    login: configuration.login,
    ...(imageId !== null && { imageId }),
    ...(password !== null && { password }),
  };
  return operateServer.intent(instanceId, request, notBefore === undefined ? {} : { notBefore });
}

export type Operating = {
  readonly accountId: AccountId;
  readonly instanceId: InstanceId;
  readonly kind: OperationKind;
  readonly imageId?: string | undefined;
};

/** The buyer starts, stops or reinstalls the server. */
export const operateServerOf = httpWrite('operate-server', {
  of: instanceRows,
  key: ({ instanceId }: Operating) => instanceId,
  decide: (ask, instance, { now }) => {
    if (instance?.accountId !== ask.accountId) return { response: Problem.response('not-found') };
    if (!isHosted(instance)) return { response: Problem.response('server-not-usable', { detail: 'The instance has no server.' }) };
    const operated = operate(instance, ask, now);
    if (!operated.ok) {
      const detail = `The instance is ${instance.status}, its server ${instance.server.state}.`;
      return { response: Problem.response(operated.error, { detail }) };
    }
    const { value: after } = operated;
    return {
      save: after,
      calls: [intentOf(after, undefined)],
      response: { status: 202, body: { instance_id: after.instanceId, state: after.server.state, operation: ask.kind } },
    };
  },
});
