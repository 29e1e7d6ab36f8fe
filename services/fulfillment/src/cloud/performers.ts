import { performs } from '@yunshi/messaging/handle';
import type { Performer } from '@yunshi/messaging/handle';
import type { Access } from '../delivery/dialect.ts';
import { boundTo } from '../bound-to.ts';
import type { Vault } from '@yunshi/service/vault';
import { callCloud, drawServerPassword, operateServer } from './calls.ts';
import type { CloudOutcome, CloudRequest, OperatedOutcome, OperationRequest, SeenServer } from './calls.ts';
import type { Cloud, Heard, Seen } from './cloud.ts';
import { drawPassword } from './password.ts';

export type CloudPerformerParts = {
  readonly cloud: Cloud;
  readonly vault: Vault;
  /** A number below `max`. */
  readonly randomInt: (maxExclusive: number) => number;
};

/**
 * Carry out what was intended. Each looks at what is there before it asks for anything, so that whatever became of an earlier try, also one
 * whose answer never came, is found out and never guessed.
 */
export function cloudPerformers({ cloud, vault, randomInt }: CloudPerformerParts): readonly Performer[] {
  const parts: Parts = {
    cloud,
    password: (sealed, instanceId) => {
      if (sealed === undefined) throw new Error(`no password was drawn for the server of ${instanceId}`);
      return vault.open(sealed, boundTo.serverPassword(instanceId));
    },
    access: (instanceId, access) => vault.seal(JSON.stringify(access), boundTo.access(instanceId)),
  };
  return [
    performs(drawServerPassword, ({ instanceId }) =>
      Promise.resolve({ password: vault.seal(drawPassword(randomInt), boundTo.serverPassword(instanceId)) }),
    ),
    performs(callCloud, (request, { signal }) => carriedOut(parts, request, signal)),
    performs(operateServer, (request, { signal }) => operated(parts, request, signal)),
  ];
}

type Parts = {
  readonly cloud: Cloud;
  readonly password: (sealed: string | undefined, instanceId: string) => string;
  readonly access: (instanceId: string, access: Access) => string;
};

async function carriedOut(parts: Parts, request: CloudRequest, signal: AbortSignal): Promise<CloudOutcome> {
  const { instanceId, serverId, configuration } = request;
  const found = await parts.cloud.find({ region: configuration.region, instanceId, serverId }, signal);
  // A look that was refused says nothing about what is there.
  if (found.kind === 'refused') return { kind: 'failed', sent: false, why: `${found.code}: ${found.message}` };
  if (found.kind === 'failed') return { ...found, sent: false };
  // There is one at the most, because a token makes one; if ever there were two, a release would come to the second after the first.
  const [seen] = found.value;
  switch (request.task) {
    case 'create':
      return created(parts, request, seen, signal);
    case 'renew':
      return renewed(parts, request, seen, signal);
    case 'expire':
      return isolated(parts, request, seen, signal);
    case 'destroy':
      return released(parts, request, seen, signal);
    case 'convert':
      return { kind: 'refused', code: 'no-trials', message: 'there are no trials of images' };
  }
}

async function created(parts: Parts, request: CloudRequest, seen: Seen | undefined, signal: AbortSignal): Promise<CloudOutcome> {
  const { instanceId, configuration, months } = request;
  if (seen === undefined) {
    const password = parts.password(request.password, instanceId);
    const made = await parts.cloud.create({ instanceId, configuration, months, password }, signal);
    return made.kind === 'answered' ? { kind: 'pending', serverId: made.value.serverId } : made;
  }
  switch (seen.state) {
    case 'running':
      return { kind: 'ready', seen: shown(seen), access: accessOf(parts, request, seen) };
    case 'failed':
    case 'returned':
      return { kind: 'refused', code: 'launch-failed', message: `the server is ${seen.state}`, seen: shown(seen) };
    default:
      return { kind: 'pending', seen: shown(seen) };
  }
}

/** There is no token for a renewal: that it is paid for longer than before says that it was done. */
async function renewed(parts: Parts, request: CloudRequest, seen: Seen | undefined, signal: AbortSignal): Promise<CloudOutcome> {
  if (seen === undefined || request.paidUntil === undefined) return { kind: 'refused', code: 'no-server', message: 'there is no server' };
  const before = new Date(request.paidUntil);
  const isPaidOn = ({ expiresAt }: Seen): boolean => expiresAt !== null && expiresAt > before;
  if (isPaidOn(seen)) return { kind: 'done', seen: shown(seen) };
  const { region } = request.configuration;
  const heard = await parts.cloud.renew({ region, serverId: seen.serverId }, request.months, signal);
  if (heard.kind !== 'answered') return heard;
  const again = await parts.cloud.find({ region, instanceId: request.instanceId, serverId: seen.serverId }, signal);
  const after = again.kind === 'answered' ? again.value[0] : undefined;
  return after && isPaidOn(after) ? { kind: 'done', seen: shown(after) } : { kind: 'failed', sent: true, why: 'renewed, but not seen yet' };
}

/** Isolated 隔离 is switched off, and kept. The cloud does as much by itself when its own time has come. */
async function isolated(parts: Parts, request: CloudRequest, seen: Seen | undefined, signal: AbortSignal): Promise<CloudOutcome> {
  if (seen === undefined) return { kind: 'done' };
  if (seen.state === 'returned' || seen.state === 'stopped') return { kind: 'done', seen: shown(seen) };
  if (seen.state !== 'running') return { kind: 'pending' };
  return pending(await parts.cloud.stop({ region: request.configuration.region, serverId: seen.serverId }, signal));
}

/** Once into the recycle bin, once out of it, until nothing is left. */
async function released(parts: Parts, request: CloudRequest, seen: Seen | undefined, signal: AbortSignal): Promise<CloudOutcome> {
  if (seen === undefined) return { kind: 'absent' };
  return pending(await parts.cloud.release({ region: request.configuration.region, serverId: seen.serverId }, signal));
}

/** Accepted is not done, and refused is a server that is not in a state for it just now: what must be done is looked at again. */
const pending = (heard: Heard<unknown>): CloudOutcome => (heard.kind === 'failed' ? heard : { kind: 'pending' });

/** By this name of the host it is seen which reinstallation was done last. */
const hostNameOf = (serverId: string, seq: number): string => `${serverId}-r${seq}`;

async function operated(parts: Parts, request: OperationRequest, signal: AbortSignal): Promise<OperatedOutcome> {
  const { region, serverId, instanceId, kind } = request;
  const found = await parts.cloud.find({ region, instanceId, serverId }, signal);
  if (found.kind === 'refused') return { kind: 'failed', sent: false, why: found.code };
  if (found.kind === 'failed') return found;
  const [seen] = found.value;
  if (seen === undefined || seen.state === 'returned' || seen.state === 'failed') return { kind: 'refused', code: 'no-server' };
  if (seen.state === 'pending' || seen.state === 'changing') return { kind: 'pending' };
  if (isDone(request, seen)) {
    const access = kind === 'reinstall' ? { access: accessOf(parts, request, seen) } : {};
    return { kind: 'done', seen: shown(seen), ...access };
  }
  const heard = await asked(parts, request, signal);
  if (heard.kind === 'answered') return { kind: 'pending' };
  if (heard.kind === 'failed') return heard;
  // Perhaps it has begun to change since it was looked at: the next look tells.
  return /State|Mutex|Operation/.test(heard.code) ? { kind: 'pending' } : { kind: 'refused', code: heard.code, seen: shown(seen) };
}

function isDone({ kind, seq, serverId }: OperationRequest, seen: Seen): boolean {
  if (kind === 'reinstall') return seen.state === 'running' && seen.hostName === hostNameOf(serverId, seq);
  return seen.state === (kind === 'start' ? 'running' : 'stopped');
}

function asked({ cloud, password }: Parts, request: OperationRequest, signal: AbortSignal): Promise<Heard<object>> {
  const { region, serverId, instanceId, kind, login, seq, imageId = '' } = request;
  const server = { region, serverId };
  if (kind === 'start') return cloud.start(server, signal);
  if (kind === 'stop') return cloud.stop(server, signal);
  const to = { imageId, login, password: password(request.password, instanceId), hostName: hostNameOf(serverId, seq) };
  return cloud.reinstall(server, to, signal);
}

/** What its owner logs in with. Where it is the owner's own key there is no password to be shown. */
function accessOf(parts: Parts, request: CloudRequest | OperationRequest, { user }: Seen): string {
  const login = 'login' in request ? request.login : request.configuration.login;
  const additional = [{ name: '用户名', value: user }];
  if (login.method === 'password') additional.push({ name: '密码', value: parts.password(request.password, request.instanceId) });
  return parts.access(request.instanceId, { additional });
}

const shown = ({ serverId, state, imageId, privateIp, publicIp, expiresAt }: Seen): SeenServer => ({
  serverId,
  state,
  imageId,
  privateIp,
  publicIp,
  expiresAt: expiresAt?.toISOString() ?? null,
});
