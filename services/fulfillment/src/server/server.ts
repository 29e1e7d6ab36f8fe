import { flow, move, type ActionOf, type StateOf } from '@yunshi/kernel/flow';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { ServerConfiguration } from '@yunshi/kernel/server';
import { serverPolicy } from '../cloud/policy.ts';
import type { Instance } from '../instance/instance.ts';
import { waitMs } from '../instance/policy.ts';

/** The cloud server 云服务器 of an image's instance: 创建中 → 运行中, 已关机 and back, until it is isolated 已隔离 with its instance and released 已释放. */
export const serverFlow = flow('server', {
  making: { run: 'running', release: 'released' },
  running: { stop: 'stopping', reinstall: 'reinstalling', halt: 'stopped', isolate: 'isolated', release: 'released' },
  stopping: { halt: 'stopped', run: 'running', isolate: 'isolated', release: 'released' },
  stopped: { start: 'starting', reinstall: 'reinstalling', run: 'running', isolate: 'isolated', release: 'released' },
  starting: { run: 'running', halt: 'stopped', isolate: 'isolated', release: 'released' },
  reinstalling: { run: 'running', halt: 'stopped', isolate: 'isolated', release: 'released' },
  isolated: { release: 'released' },
  released: {},
});
export type ServerState = StateOf<typeof serverFlow>;

/** Kept in the row of its instance: both change together. Its id is the instance's `signId`. Stored as JSON, so times are text. */
export type Server = {
  readonly configuration: ServerConfiguration;
  /** For how long it was taken when it was made. */
  readonly months: number;
  readonly state: ServerState;
  /** What runs on it now: it may be reinstalled from another image of the product. */
  readonly imageId: string;
  readonly privateIp: string | null;
  readonly publicIp: string | null;
  /** Sealed; null until it has been drawn. */
  readonly password: string | null;
  /** What its buyer wants of it, until the cloud has done it. */
  readonly operation: Operation | null;
  /** Number of the newest operation: an outcome of an older one is late. */
  readonly operations: number;
};

export const operationKinds = ['start', 'stop', 'reinstall'] as const;
export type OperationKind = (typeof operationKinds)[number];
export type Operation = {
  readonly kind: OperationKind;
  readonly seq: number;
  readonly since: string;
  readonly tries: number;
  /** Of a reinstallation: the image, and the new password once it has been drawn, sealed. */
  readonly imageId: string | null;
  readonly password: string | null;
};

/** An image's instance has one from its beginning to its end. */
export const serverFor = (configuration: ServerConfiguration, months: number): Server => ({
  configuration,
  months,
  state: 'making',
  imageId: configuration.imageId,
  privateIp: null,
  publicIp: null,
  password: null,
  operation: null,
  operations: 0,
});

/** What the cloud shows of it. */
export type Observed = {
  readonly state: 'pending' | 'running' | 'stopped' | 'changing' | 'failed' | 'returned';
  readonly imageId: string;
  readonly privateIp: string | null;
  readonly publicIp: string | null;
};

/** Takes in what the cloud shows. On its way from one state to another it keeps the one that says so. */
export function observed(server: Server, { state, privateIp, publicIp }: Observed): Server {
  const shown = { ...server, privateIp, publicIp };
  if (state === 'running') return server.state === 'running' || isOver(server) ? shown : serverMoved(shown, 'run');
  if (state === 'stopped')
    return server.state === 'stopped' || server.state === 'making' || isOver(server) ? shown : serverMoved(shown, 'halt');
  return shown;
}

const isOver = ({ state }: Server): boolean => state === 'isolated' || state === 'released';

export const isolated = (server: Server): Server =>
  isOver(server) || server.state === 'making' ? server : serverMoved({ ...server, operation: null }, 'isolate');
export const released = (server: Server): Server =>
  server.state === 'released' ? server : serverMoved({ ...server, operation: null, password: null }, 'release');

function serverMoved(server: Server, action: ActionOf<typeof serverFlow>): Server {
  const next = move(serverFlow, server.state, action);
  if (!next.ok) throw new Error(`a server that is ${server.state} cannot ${action}`);
  return { ...server, state: next.value };
}

/** An instance that surely has a server. */
export type Hosted = Instance & { readonly server: Server };
export const isHosted = (instance: Instance | undefined): instance is Hosted => instance?.server !== null && instance?.server !== undefined;

export type OperationRefusal = 'server-not-usable' | 'server-busy' | 'server-not-in-state';

/** The buyer wants it started, stopped, or installed anew. Whatever stood on it is lost by the last, which the buyer has said to know. */
export function operate(
  instance: Hosted,
  { kind, imageId }: { readonly kind: OperationKind; readonly imageId?: string | undefined },
  now: Date,
): Result<Hosted, OperationRefusal> {
  const { server } = instance;
  if (instance.status !== 'shipped' || instance.suspendedAt !== null || instance.signId === null) return no('server-not-usable');
  if (server.operation !== null) return no('server-busy');
  const next = move(serverFlow, server.state, kind);
  if (!next.ok) return no('server-not-in-state');
  const seq = server.operations + 1;
  const operation: Operation = {
    kind,
    seq,
    since: now.toISOString(),
    tries: 1,
    imageId: kind === 'reinstall' ? (imageId ?? server.imageId) : null,
    password: null,
  };
  return ok({ ...instance, version: instance.version + 1, server: { ...server, state: next.value, operation, operations: seq } });
}

/** What has come of one try of an operation. */
export type OperationOutcome =
  | { readonly kind: 'done'; readonly seen: Observed; readonly access?: string | undefined }
  | { readonly kind: 'pending' | 'failed' }
  | { readonly kind: 'refused'; readonly seen?: Observed | undefined };

/** Takes it in; `again` says when the cloud is to be asked the next time. An operation that its instance's end has overtaken is let go. */
export function heardOfOperation(
  instance: Hosted,
  seq: number,
  outcome: OperationOutcome,
  now: Date,
): { readonly instance: Hosted; readonly again?: Date } {
  const { server } = instance;
  const { operation } = server;
  if (operation?.seq !== seq) return { instance };
  const over: Server = { ...server, operation: null };
  const changed = (changes: Partial<Hosted>) => ({ instance: { ...instance, version: instance.version + 1, ...changes } });
  switch (outcome.kind) {
    case 'done': {
      const { access, seen } = outcome;
      const anew = operation.kind === 'reinstall' ? { imageId: seen.imageId, password: operation.password } : {};
      return changed({ server: observed({ ...over, ...anew }, seen), ...(access !== undefined && { access }) });
    }
    case 'refused':
      return changed({ server: settled(over, outcome.seen) });
    case 'pending':
    case 'failed': {
      if (now.getTime() - Date.parse(operation.since) >= serverPolicy.operatingMsMax) return changed({ server: settled(over, undefined) });
      const wait = waitMs(serverPolicy.operatingBackOff, operation.tries, instance.instanceId);
      const tried = { ...operation, tries: operation.tries + 1 };
      return { instance: { ...instance, server: { ...server, operation: tried } }, again: new Date(now.getTime() + wait) };
    }
  }
}

/** Where it is after an operation that came to nothing: where the cloud shows it, or else where it was before. */
function settled(server: Server, seen: Observed | undefined): Server {
  if (seen?.state === 'running' || seen?.state === 'stopped') return observed(server, seen);
  switch (server.state) {
    case 'starting':
      return serverMoved(server, 'halt');
    case 'stopping':
    case 'reinstalling':
      return serverMoved(server, 'run');
    default:
      return server;
  }
}
