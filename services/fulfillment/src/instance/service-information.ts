import { z } from 'zod';
import type { Access } from '../delivery/dialect.ts';
import type { SignIn } from '../delivery/sign-in.ts';
import { boundTo } from '../bound-to.ts';
import { DeliveryId } from '@yunshi/kernel/ids';
import type { Vault } from '@yunshi/service/vault';
import { operationKinds, serverFlow } from '../server/server.ts';
import type { Instance } from './instance.ts';

/*
 * Service information 服务信息: what only an instance of one kind has to tell its buyer. Each piece is a field of the instance's detail,
 * null where the instance has none of it. Nothing of it is shown while the instance is suspended.
 */

const App = z.object({
  website: z.string().optional(),
  auth_url: z
    .string()
    .optional()
    .meta({ description: 'Single sign-on 免登地址; some are good for two minutes only: read it when it is used' }),
  fields: z.array(z.object({ name: z.string(), value: z.string() })).meta({ description: 'Account, initial password, keys' }),
});

const Disk = z.object({ type: z.string(), size_gb: z.int() });
const CloudServer = z
  .object({
    server_id: z.string().nullable().meta({ description: 'null until the cloud has said one' }),
    state: z.enum(serverFlow.states).meta({ description: '创建中, 运行中, 关机中, 已关机, 开机中, 重装中, 已隔离, 已释放' }),
    operation: z
      .object({ kind: z.enum(operationKinds), since: z.string() })
      .nullable()
      .meta({ description: 'What is being done, as its owner wanted' }),
    public_ip: z.string().nullable(),
    private_ip: z.string().nullable(),
    region: z.string(),
    zone: z.string(),
    machine_type: z.string(),
    image_id: z.string(),
    system_disk: Disk,
    data_disks: z.array(Disk),
    bandwidth: z.object({ billing: z.string(), mbps: z.int() }),
    security_group_id: z.string(),
    login_method: z.enum(['password', 'ssh_key']),
  })
  .meta({ id: 'CloudServer' });

const Calls = z
  .object({
    address: z.string().nullable().meta({ description: 'What is called: the path of the product is put behind it' }),
    available: z.int().meta({ description: '可用次数: how many have been bought' }),
    used: z.int().nullable().meta({ description: '已用次数; null while the gateway for calls does not answer' }),
    usage: z.string().nullable().meta({ description: '总使用情况: used/available, as in 0/100' }),
  })
  .meta({ id: 'ApiCalls' });

/** The fields that the detail has beside those of the list. */
export const serviceInformation = {
  app: App.nullable().meta({ description: '应用信息; null until it is delivered, while it is suspended, and after it is closed' }),
  case: z
    .object({ delivery_id: DeliveryId })
    .nullable()
    .meta({ description: '交付单: what people deliver is followed there; null where nobody has opened one' }),
  server: CloudServer.nullable().meta({ description: '云服务器, of an image' }),
  api: Calls.nullable().meta({ description: 'Of an API product; its keys are at `/v1/instances/{instance_id}/keys`' }),
};
const Information = z.object(serviceInformation);
export type ServiceInformation = z.infer<typeof Information>;

const nothing: ServiceInformation = { app: null, case: null, server: null, api: null };

export type InformationParts = {
  readonly vault: Pick<Vault, 'open'>;
  readonly signIn: SignIn;
  /** Calls that were counted; null where that cannot be told now. */
  readonly usedCalls: (instanceId: Instance['instanceId']) => Promise<number | null>;
  readonly callsUrl: string | undefined;
};
export type InformationOf = (instance: Instance) => Promise<ServiceInformation>;

/** Reads all pieces of one instance. A new kind adds its field above and its piece here. */
export const informationFrom =
  (parts: InformationParts): InformationOf =>
  async (instance) =>
    instance.suspendedAt === null
      ? { app: await appOf(instance, parts), case: caseOf(instance), server: serverOf(instance), api: await callsOf(instance, parts) }
      : nothing;

async function callsOf(
  { api, instanceId, productId }: Instance,
  { usedCalls, callsUrl }: InformationParts,
): Promise<z.infer<typeof Calls> | null> {
  if (api === null) return null;
  const used = await usedCalls(instanceId);
  const address = callsUrl === undefined ? null : `${callsUrl}/service-${productId.slice(4)}`;
  return { address, available: api.calls, used, usage: used === null ? null : `${used}/${api.calls}` };
}

const caseOf = ({ caseId }: Instance) => (caseId === null ? null : { delivery_id: caseId });

async function appOf(instance: Instance, { vault, signIn }: InformationParts): Promise<z.infer<typeof App> | null> {
  const { instanceId, access } = instance;
  // An API product has calls and keys, and no application to log in to.
  if (access === null || instance.api !== null) return null;
  const opened = JSON.parse(vault.open(access, boundTo.access(instanceId))) as Access;
  const { website, additional } = opened;
  const authUrl = await signIn(instance, opened);
  return { ...(website !== undefined && { website }), ...(authUrl !== undefined && { auth_url: authUrl }), fields: additional };
}

const diskOf = ({ type, sizeGb }: { type: string; sizeGb: number }) => ({ type, size_gb: sizeGb });

function serverOf({ server, signId }: Instance): z.infer<typeof CloudServer> | null {
  if (server === null) return null;
  const { configuration, state, operation, publicIp, privateIp, imageId } = server;
  const { region, zone, machineType, systemDisk, dataDisks, bandwidth, securityGroupId, login } = configuration;
  return {
    server_id: signId,
    state,
    operation: operation && { kind: operation.kind, since: operation.since },
    public_ip: publicIp,
    private_ip: privateIp,
    region,
    zone,
    machine_type: machineType,
    image_id: imageId,
    system_disk: diskOf(systemDisk),
    data_disks: dataDisks.map(diskOf),
    bandwidth,
    security_group_id: securityGroupId,
    login_method: login.method,
  };
}
