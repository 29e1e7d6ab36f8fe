import type { Agent } from 'node:http';
import type { ServerConfiguration, ServerDisk } from '@yunshi/kernel/server';
import { CommonClient } from 'tencentcloud-sdk-nodejs-common/tencentcloud/common/common_client.js';
import { Client as Cvm } from 'tencentcloud-sdk-nodejs-cvm/tencentcloud/services/cvm/v20170312/cvm_client.js';
import type { Cloud, Heard, Machine, Price, Seen } from './cloud.ts';

/** Tencent Cloud's servers (CVM), by its own SDK. The same calls go to the real cloud and to the one that the sandbox plays. */

export type TencentCloudParts = {
  readonly secretId: string;
  readonly secretKey: string;
  /** Without one it is the real cloud. */
  readonly url: string | undefined;
  /** The guarded agent for a host of an API, by its URL. */
  readonly agentFor: (url: string) => Agent;
};

type Instance = NonNullable<Awaited<ReturnType<Cvm['DescribeInstances']>>['InstanceSet']>[number];
type ItemPrice = { readonly DiscountPrice?: number; readonly OriginalPrice?: number };

const hosts = { cvm: 'cvm.tencentcloudapi.com', vpc: 'vpc.tencentcloudapi.com' } as const;
const networksVersion = '2017-03-12';
const timeoutSecondsMax = 10;
const listMax = 100;
/** Servers, images and security groups are found by these tags. */
const tags = { instance: 'yunshi-instance', product: 'yunshi-product', offered: 'yunshi-offered' } as const;

export function tencentCloud(parts: TencentCloudParts): Cloud {
  const clients = clientsFor(parts);
  return { ...offersOf(clients), ...pricesOf(clients), ...serversOf(clients) };
}

type Clients = { readonly servers: (region: string) => Cvm; readonly networks: (region: string) => CommonClient };

/** The SDK has one client for each region; each is made once. */
function clientsFor({ secretId, secretKey, url, agentFor }: TencentCloudParts): Clients {
  const profileOf = (host: string) => {
    const to = new URL(url ?? `https://${host}`);
    return { httpProfile: { endpoint: to.host, protocol: `${to.protocol}//`, reqTimeout: timeoutSecondsMax, agent: agentFor(to.origin) } };
  };
  const credential = { secretId, secretKey };
  const once = <T>(make: (region: string) => T) => {
    const made = new Map<string, T>();
    return (region: string): T => {
      const known = made.get(region) ?? make(region);
      made.set(region, known);
      return known;
    };
  };
  const [servers, networks] = [profileOf(hosts.cvm), profileOf(hosts.vpc)];
  return {
    servers: once((region) => new Cvm({ credential, region, profile: servers })),
    networks: once((region) => new CommonClient(hosts.vpc, networksVersion, { credential, region, profile: networks })),
  };
}

/** The answer, or what became of it instead. Codes come from the API; without one the call failed on its way, or its answer did. */
async function heard<A, T>(asked: Promise<A>, read: (answer: A) => T): Promise<Heard<T>> {
  try {
    return { kind: 'answered', value: read(await asked) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
    if (code === '') return { kind: 'failed', sent: !neverSent.test(message), why: message };
    if (notDone.test(code)) return { kind: 'failed', sent: false, why: `${code}: ${message}` };
    if (unsure.test(code)) return { kind: 'failed', sent: true, why: `${code}: ${message}` };
    return { kind: 'refused', code, message };
  }
}

const neverSent = /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|CERT|egress:/;
/** Refused at the door, or for something that we must set right: nothing was done, and it may be asked again. */
const notDone = /^(?:RequestLimitExceeded|AuthFailure|UnauthorizedOperation|InvalidAccount|ActionOffline|NoSuchVersion|MutexOperation)/;
/** Something broke inside. */
const unsure = /^(?:Internal|ServiceUnavailable|FailedOperation|OperationDenied\.InstanceOperationInProgress)/;

/** The SDK's own types know nothing of the second argument of its methods. */
const within = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });
const inFen = (yuan: number | undefined): number => Math.round((yuan ?? 0) * 100);
/** What is really paid; a price of nothing may be left out. */
const paid = (price: ItemPrice | undefined): number => inFen(price?.DiscountPrice ?? price?.OriginalPrice);
const readPrice = ({ Price: price }: { Price?: { InstancePrice?: ItemPrice; BandwidthPrice?: ItemPrice } }): Price => {
  if (!price?.InstancePrice) throw new Error('the answer has no price');
  return { machine: paid(price.InstancePrice), bandwidth: paid(price.BandwidthPrice) };
};

function offersOf({ servers, networks }: Clients): Pick<Cloud, 'regions' | 'zones' | 'machines' | 'images' | 'securityGroups'> {
  return {
    regions: (signal) =>
      heard(servers('ap-guangzhou').request('DescribeRegions', {}, within(signal)) as ReturnType<Cvm['DescribeRegions']>, ({ RegionSet }) =>
        (RegionSet ?? []).flatMap((one) => (one.RegionState === 'AVAILABLE' ? [named(one.Region, one.RegionName)] : [])),
      ),
    zones: (region, signal) =>
      heard(servers(region).request('DescribeZones', {}, within(signal)) as ReturnType<Cvm['DescribeZones']>, ({ ZoneSet }) =>
        (ZoneSet ?? []).flatMap((one) => (one.ZoneState === 'AVAILABLE' ? [named(one.Zone, one.ZoneName)] : [])),
      ),
    machines: (region, signal) =>
      heard(
        servers(region).request(
          'DescribeZoneInstanceConfigInfos',
          { Filters: [{ Name: 'instance-charge-type', Values: ['PREPAID'] }] },
          within(signal),
        ) as ReturnType<Cvm['DescribeZoneInstanceConfigInfos']>,
        ({ InstanceTypeQuotaSet }) =>
          (InstanceTypeQuotaSet ?? []).map((one): Machine => ({
            zone: one.Zone ?? '',
            type: one.InstanceType ?? '',
            family: one.TypeName ?? one.InstanceFamily ?? '',
            cpu: one.Cpu ?? 0,
            memoryGb: one.Memory ?? 0,
            isSoldOut: one.Status !== 'SELL',
            price: paid(one.Price),
          })),
      ),
    images: (region, productId, signal) =>
      heard(
        servers(region).request(
          'DescribeImages',
          { Filters: [{ Name: `tag:${tags.product}`, Values: [productId] }], Limit: listMax },
          within(signal),
        ) as ReturnType<Cvm['DescribeImages']>,
        ({ ImageSet }) => (ImageSet ?? []).flatMap((one) => (one.ImageState === 'NORMAL' ? [named(one.ImageId, one.ImageName)] : [])),
      ),
    securityGroups: (region, signal) =>
      heard(
        networks(region).request(
          'DescribeSecurityGroups',
          { Filters: [{ Name: `tag:${tags.offered}`, Values: ['yes'] }] },
          within(signal),
        ) as Promise<{ SecurityGroupSet?: { SecurityGroupId?: string; SecurityGroupName?: string }[] }>,
        ({ SecurityGroupSet }) => (SecurityGroupSet ?? []).map((one) => named(one.SecurityGroupId, one.SecurityGroupName)),
      ),
  };
}

const named = (id: string | undefined, name: string | undefined) => ({ id: id ?? '', name: name ?? id ?? '' });

function pricesOf({ servers }: Clients): Pick<Cloud, 'price' | 'renewalPrice' | 'renew'> {
  const prepaid = (Period: number) => ({ Period, RenewFlag: 'NOTIFY_AND_MANUAL_RENEW' });
  return {
    price: (configuration, months, signal) =>
      heard(
        servers(configuration.region).request('InquiryPriceRunInstances', machineOf(configuration, months), within(signal)) as ReturnType<
          Cvm['InquiryPriceRunInstances']
        >,
        readPrice,
      ),
    renewalPrice: ({ region, serverId }, months, signal) =>
      heard(
        servers(region).request(
          'InquiryPriceRenewInstances',
          { InstanceIds: [serverId], InstanceChargePrepaid: prepaid(months) },
          within(signal),
        ) as ReturnType<Cvm['InquiryPriceRenewInstances']>,
        readPrice,
      ),
    renew: ({ region, serverId }, months, signal) =>
      heard(
        servers(region).request('RenewInstances', { InstanceIds: [serverId], InstanceChargePrepaid: prepaid(months) }, within(signal)),
        () => ({}),
      ),
  };
}

function serversOf({ servers }: Clients): Pick<Cloud, 'find' | 'create' | 'start' | 'stop' | 'reinstall' | 'release'> {
  const act = (action: string) => (server: { region: string; serverId: string }, signal?: AbortSignal) =>
    heard(servers(server.region).request(action, { InstanceIds: [server.serverId] }, within(signal)), () => ({}));
  return {
    find: async ({ region, instanceId, serverId }, signal) => {
      const sought =
        serverId === undefined ? { Filters: [{ Name: `tag:${tags.instance}`, Values: [instanceId] }] } : { InstanceIds: [serverId] };
      const found = await heard(
        servers(region).request('DescribeInstances', { ...sought, Limit: listMax }, within(signal)) as ReturnType<Cvm['DescribeInstances']>,
        ({ InstanceSet }) => (InstanceSet ?? []).flatMap((one) => seen(one) ?? []),
      );
      return found.kind === 'refused' && found.code === 'InvalidInstanceId.NotFound' ? { kind: 'answered', value: [] } : found;
    },
    create: ({ instanceId, configuration, months, password }, signal) =>
      heard(
        servers(configuration.region).request(
          'RunInstances',
          {
            ...machineOf(configuration, months),
            InstanceName: instanceId,
            SecurityGroupIds: [configuration.securityGroupId],
            ClientToken: instanceId,
            TagSpecification: [{ ResourceType: 'instance', Tags: [{ Key: tags.instance, Value: instanceId }] }],
            ...wayIn(configuration.login, password),
          },
          within(signal),
        ) as ReturnType<Cvm['RunInstances']>,
        ({ InstanceIdSet }) => {
          const [serverId] = InstanceIdSet ?? [];
          if (serverId === undefined) throw new Error('the answer names no server');
          return { serverId };
        },
      ),
    start: act('StartInstances'),
    stop: act('StopInstances'),
    reinstall: ({ region, serverId }, { imageId, login, password, hostName }, signal) =>
      heard(
        servers(region).request(
          'ResetInstance',
          { InstanceId: serverId, ImageId: imageId, HostName: hostName, ...wayIn(login, password) },
          within(signal),
        ),
        () => ({}),
      ),
    release: ({ region, serverId }, signal) =>
      heard(
        servers(region).request('TerminateInstances', { InstanceIds: [serverId], ReleasePrepaidDataDisks: true }, within(signal)),
        () => ({}),
      ),
  };
}

const disk = ({ type, sizeGb }: ServerDisk) => ({ DiskType: type, DiskSize: sizeGb });

/** What both the price and the making of a server depend on. */
function machineOf({ zone, machineType, imageId, systemDisk, dataDisks, bandwidth }: ServerConfiguration, months: number) {
  return {
    InstanceChargeType: 'PREPAID',
    // It is renewed by a renewal order that was paid for, and never by itself.
    InstanceChargePrepaid: { Period: months, RenewFlag: 'NOTIFY_AND_MANUAL_RENEW' },
    Placement: { Zone: zone },
    InstanceType: machineType,
    ImageId: imageId,
    SystemDisk: disk(systemDisk),
    DataDisks: dataDisks.map(disk),
    InternetAccessible: {
      InternetChargeType: bandwidth.billing === 'by_bandwidth' ? 'BANDWIDTH_PREPAID' : 'TRAFFIC_POSTPAID_BY_HOUR',
      InternetMaxBandwidthOut: bandwidth.mbps,
      PublicIpAssigned: bandwidth.mbps > 0,
    },
    InstanceCount: 1,
  };
}

/** A password is set in either case, because the cloud would draw one of its own; where there is a key nobody may use it. */
function wayIn(login: ServerConfiguration['login'], password: string) {
  if (login.method === 'password') return { LoginSettings: { Password: password } };
  const cloudConfig = `#cloud-config\nssh_pwauth: false\nssh_authorized_keys:\n  - ${login.publicKey}\n`;
  return { LoginSettings: { Password: password }, UserData: Buffer.from(cloudConfig).toString('base64') };
}

const states: Readonly<Record<string, Seen['state']>> = {
  PENDING: 'pending',
  LAUNCH_FAILED: 'failed',
  RUNNING: 'running',
  STOPPED: 'stopped',
  SHUTDOWN: 'returned',
};

/** What is being destroyed is gone. */
function seen(one: Instance): Seen | undefined {
  if (one.InstanceId === undefined || one.InstanceState === 'TERMINATING' || one.InstanceState === 'TERMINATED') return undefined;
  const state = states[one.InstanceState ?? ''] ?? 'changing';
  return {
    serverId: one.InstanceId,
    state: one.LatestOperationState === 'OPERATING' && (state === 'running' || state === 'stopped') ? 'changing' : state,
    hostName: one.HostName ?? '',
    imageId: one.ImageId ?? '',
    privateIp: one.PrivateIpAddresses?.[0] ?? null,
    publicIp: one.PublicIpAddresses?.[0] ?? null,
    user: one.DefaultLoginUser ?? 'root',
    expiresAt: one.ExpiredTime ? new Date(one.ExpiredTime) : null,
  };
}
