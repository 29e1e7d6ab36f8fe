import { InstanceId } from '@yunshi/kernel/ids';
import { ServerConfiguration, ServerLogin } from '@yunshi/kernel/server';
import { outsideCall } from '@yunshi/messaging/handle';
import { z } from 'zod';
import { tasks } from '../instance/instance.ts';
import { operationKinds } from '../server/server.ts';

/** The calls of the cloud: their requests, as they are stored before the call, and what may come of them. */

const Time = z.iso.datetime({ offset: true });

/** What the cloud shows of a server. */
const SeenServer = z.object({
  serverId: z.string(),
  state: z.enum(['pending', 'running', 'stopped', 'changing', 'failed', 'returned']),
  imageId: z.string(),
  privateIp: z.string().nullable(),
  publicIp: z.string().nullable(),
  expiresAt: Time.nullable(),
});
export type SeenServer = z.infer<typeof SeenServer>;

/** What is asked of the cloud for an instance. The password is sealed, because requests stand in tables. */
const CloudRequest = z.object({
  task: z.enum(tasks),
  seq: z.int(),
  instanceId: InstanceId,
  configuration: ServerConfiguration,
  months: z.int(),
  password: z.string().optional(),
  /** Absent until the cloud has said one. */
  serverId: z.string().optional(),
  /** Of a renewal: until when it is paid before it. A server that is paid for longer has been renewed. */
  paidUntil: Time.optional(),
});
export type CloudRequest = z.infer<typeof CloudRequest>;

const failed = z.object({ kind: z.literal('failed'), sent: z.boolean(), why: z.string() });

const CloudOutcome = z.discriminatedUnion('kind', [
  /** It runs; `access` is sealed. */
  z.object({ kind: z.literal('ready'), seen: SeenServer, access: z.string() }),
  /** `serverId`: it has been ordered, and not been seen yet. */
  z.object({ kind: z.literal('pending'), seen: SeenServer.optional(), serverId: z.string().optional() }),
  z.object({ kind: z.literal('done'), seen: SeenServer.optional() }),
  /** Nothing of the instance's is there. */
  z.object({ kind: z.literal('absent') }),
  z.object({ kind: z.literal('refused'), code: z.string(), message: z.string(), seen: SeenServer.optional() }),
  failed,
]);
export type CloudOutcome = z.infer<typeof CloudOutcome>;

export const callCloud = outsideCall('fulfillment.call-cloud', { request: CloudRequest, outcome: CloudOutcome });

/** Not outside the company but outside a decision: passwords come from randomness and the encryption key. */
export const drawServerPassword = outsideCall('fulfillment.draw-server-password', {
  request: z.object({ instanceId: InstanceId, use: z.enum(['create', 'reinstall']), seq: z.int() }),
  outcome: z.object({ password: z.string() }),
});

/** What the buyer wants of a running or stopped server. */
const OperationRequest = z.object({
  kind: z.enum(operationKinds),
  seq: z.int(),
  instanceId: InstanceId,
  region: z.string(),
  serverId: z.string(),
  login: ServerLogin,
  imageId: z.string().optional(),
  password: z.string().optional(),
});
export type OperationRequest = z.infer<typeof OperationRequest>;

export const operateServer = outsideCall('fulfillment.operate-server', {
  request: OperationRequest,
  outcome: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('done'), seen: SeenServer, access: z.string().optional() }),
    z.object({ kind: z.literal('pending') }),
    z.object({ kind: z.literal('refused'), code: z.string(), seen: SeenServer.optional() }),
    failed,
  ]),
});
export type OperatedOutcome = z.infer<typeof operateServer.outcome>;
