import { randomBytes, randomInt } from 'node:crypto';
import { addMonths } from '@yunshi/kernel/calendar';
import type { Clock } from '@yunshi/kernel/clock';
import { z } from 'zod';
import type { CloudBook } from './book.ts';
import {
  bandwidthMbpsMax,
  imagesFor,
  isDisk,
  isSoldOut,
  machineTypes,
  months,
  priceOf,
  regions,
  securityGroupsOf,
  type Priced,
} from './offers.ts';
import { isWorking, makingMs, operate, renew, spread, stateOf, terminate, type Operation } from './server.ts';
import type { CloudServer } from './tables.ts';

/** What the played cloud answers to each action of the API for servers (CVM), and to the one of the API for networks that is needed. */

/** The answer's body, or a code of the API's with words to it. */
export type Said = { readonly body: object } | { readonly code: string; readonly message: string };
export type Action = (parameters: unknown, region: string) => Promise<Said>;
type Deps = { readonly book: CloudBook; readonly clock: Clock };

const say = (body: object): Said => ({ body });
const refuse = (code: string, message: string): Said => ({ code, message });

const Filters = z.array(z.object({ Name: z.string(), Values: z.array(z.string()).min(1).max(10) })).optional();
const Disk = z.object({ DiskType: z.string(), DiskSize: z.int() }).transform(({ DiskType: type, DiskSize: sizeGb }) => ({ type, sizeGb }));
const Prepaid = z.object({ Period: z.int(), RenewFlag: z.literal('NOTIFY_AND_MANUAL_RENEW').optional() });
const machine = {
  InstanceChargeType: z.literal('PREPAID'),
  InstanceChargePrepaid: Prepaid,
  Placement: z.object({ Zone: z.string() }),
  InstanceType: z.string(),
  ImageId: z.string(),
  SystemDisk: Disk,
  DataDisks: z.array(Disk).max(20).default([]),
  InternetAccessible: z.object({
    InternetChargeType: z.literal('BANDWIDTH_PREPAID'),
    InternetMaxBandwidthOut: z.int().min(0).max(bandwidthMbpsMax),
    PublicIpAssigned: z.boolean(),
  }),
  InstanceCount: z.literal(1),
};
const Inquiry = z.object(machine);
const Login = z.object({ Password: z.string().min(8).max(30).optional(), KeepImageLogin: z.literal('FALSE').optional() });
const Run = z.object({
  ...machine,
  InstanceName: z.string().max(128),
  LoginSettings: Login,
  SecurityGroupIds: z.array(z.string()).length(1),
  ClientToken: z.string().min(1).max(64),
  UserData: z.string().max(16_384).optional(),
  TagSpecification: z
    .array(
      z.object({
        ResourceType: z.literal('instance'),
        Tags: z.array(z.object({ Key: z.string().max(127), Value: z.string().max(255) })).max(20),
      }),
    )
    .max(1)
    .default([]),
});
type Asked = z.infer<typeof Inquiry>;

/** Parameters that are not what the action takes are a refusal of the API's, too. */
const takes =
  <S extends z.ZodType>(schema: S, act: (parameters: z.output<S>, region: string) => Promise<Said>): Action =>
  async (parameters, region) => {
    const read = schema.safeParse(parameters);
    if (!read.success) return refuse('InvalidParameter', z.prettifyError(read.error));
    if (!regions.some((one) => one.region === region)) return refuse('UnsupportedRegion', `the region ${region} is not supported`);
    return act(read.data, region);
  };

export const actions = (deps: Deps): Readonly<Record<string, Action>> => ({ ...offers(deps), ...prices(deps), ...servers(deps) });

function offers({ book }: Deps): Record<string, Action> {
  return {
    DescribeRegions: async () =>
      say({
        TotalCount: regions.length,
        RegionSet: regions.map(({ region, name }) => ({ Region: region, RegionName: name, RegionState: 'AVAILABLE' })),
      }),
    DescribeZones: takes(z.object({}), async (_, region) => {
      const zones = zonesOf(region);
      const ZoneSet = zones.map((Zone, nth) => ({ Zone, ZoneName: Zone, ZoneId: String(100_001 + nth), ZoneState: 'AVAILABLE' }));
      return say({ TotalCount: zones.length, ZoneSet });
    }),
    DescribeZoneInstanceConfigInfos: takes(z.object({ Filters }), async (_, region) =>
      say({
        InstanceTypeQuotaSet: zonesOf(region).flatMap((Zone) =>
          machineTypes.map(({ type, family, name, cpu, memoryGb, price }) => ({
            Zone,
            InstanceType: type,
            InstanceChargeType: 'PREPAID',
            InstanceFamily: family,
            TypeName: name,
            Cpu: cpu,
            Memory: memoryGb,
            Status: isSoldOut(Zone, type) ? 'SOLD_OUT' : 'SELL',
            Price: { OriginalPrice: price / 100, DiscountPrice: price / 100, Discount: 100 },
          })),
        ),
      }),
    ),
    DescribeImages: takes(z.object({ Filters, Limit: z.int().optional() }), async ({ Filters: filters }) => {
      const product = filters?.find(({ Name }) => Name === 'tag:yunshi-product')?.Values[0];
      if (product === undefined) return refuse('InvalidFilter', 'only images of a product are played here');
      const found = imagesFor(product);
      await book.rememberImages(found);
      const ImageSet = found.map(({ imageId, name }) => ({
        ImageId: imageId,
        ImageName: name,
        OsName: name,
        ImageType: 'SHARED_IMAGE',
        ImageState: 'NORMAL',
        IsSupportCloudinit: true,
      }));
      return say({ TotalCount: found.length, ImageSet });
    }),
    DescribeSecurityGroups: takes(z.object({ Filters }), async (_, region) => {
      const groups = securityGroupsOf(region);
      const SecurityGroupSet = groups.map(({ id, name, description }) => ({
        SecurityGroupId: id,
        SecurityGroupName: name,
        SecurityGroupDesc: description,
      }));
      return say({ TotalCount: groups.length, SecurityGroupSet });
    }),
  };
}

const zonesOf = (region: string): readonly string[] => regions.find((one) => one.region === region)?.zones ?? [];

async function refusalOf({ book }: Deps, asked: Asked, region: string): Promise<Said | undefined> {
  const zone = asked.Placement.Zone;
  if (!zonesOf(region).includes(zone)) return refuse('InvalidZone.MismatchRegion', `${zone} is not a zone of ${region}`);
  if (!machineTypes.some(({ type }) => type === asked.InstanceType)) return refuse('InvalidInstanceType.Malformed', asked.InstanceType);
  if (isSoldOut(zone, asked.InstanceType))
    return refuse('ResourcesSoldOut.SpecifiedInstanceType', `the instance type ${asked.InstanceType} is sold out in ${zone}`);
  if (!(await book.hasImage(asked.ImageId))) return refuse('InvalidImageId.NotFound', `the image ${asked.ImageId} does not exist`);
  if (![asked.SystemDisk, ...asked.DataDisks].every(isDisk)) return refuse('InvalidParameterValue.Range', 'the disk is not offered');
  if (!months.includes(asked.InstanceChargePrepaid.Period)) return refuse('InvalidPeriod', `${asked.InstanceChargePrepaid.Period} months`);
  return undefined;
}

const wanted = ({ InstanceType: machineType, SystemDisk: systemDisk, DataDisks: dataDisks, InternetAccessible: net }: Asked) => ({
  machineType,
  systemDisk,
  dataDisks,
  bandwidthMbps: net.InternetMaxBandwidthOut,
});
const inYuan = ({ original, discounted, percent }: Priced) => ({
  OriginalPrice: original / 100,
  DiscountPrice: discounted / 100,
  Discount: percent,
});
const shownPrice = ({ instance, bandwidth }: ReturnType<typeof priceOf>) => ({
  Price: { InstancePrice: inYuan(instance), BandwidthPrice: inYuan(bandwidth) },
});
const sum = ({ instance, bandwidth }: ReturnType<typeof priceOf>): number => instance.discounted + bandwidth.discounted;

const ofOne = z.array(z.string()).length(1);
const Renewal = z.object({ InstanceIds: ofOne, InstanceChargePrepaid: Prepaid, RenewPortableDataDisk: z.boolean().optional() });

function prices(deps: Deps): Record<string, Action> {
  const { book } = deps;
  return {
    InquiryPriceRunInstances: takes(Inquiry, async (asked, region) => {
      const refusal = await refusalOf(deps, asked, region);
      return refusal ?? say(shownPrice(priceOf(wanted(asked), asked.InstanceChargePrepaid.Period)));
    }),
    InquiryPriceRenewInstances: takes(Renewal, async ({ InstanceIds, InstanceChargePrepaid: { Period } }) => {
      const [server] = await book.byIds(InstanceIds);
      return server ? say(shownPrice(priceOf(server, Period))) : refuse('InvalidInstanceId.NotFound', InstanceIds.join());
    }),
    RenewInstances: takes(Renewal, async ({ InstanceIds, InstanceChargePrepaid: { Period } }) =>
      months.includes(Period)
        ? changed(deps, InstanceIds[0] ?? '', (server, now) => renew(server, Period, sum(priceOf(server, Period)), now))
        : refuse('InvalidPeriod', `${Period} months`),
    ),
  };
}

async function changed(
  { book, clock }: Deps,
  serverId: string,
  work: (server: CloudServer, now: Date) => ReturnType<typeof operate>,
): Promise<Said> {
  const said = await book.change(serverId, (server) => {
    const done = work(server, clock.now());
    return done.ok
      ? { save: done.value, result: say({}) }
      : { result: refuse(done.error, `the instance ${serverId} is not in a state for it`) };
  });
  return said ?? refuse('InvalidInstanceId.NotFound', `the instance ${serverId} does not exist`);
}

const Reset = z.object({
  InstanceId: z.string(),
  ImageId: z.string(),
  LoginSettings: Login,
  UserData: z.string().max(16_384).optional(),
  HostName: z.string().min(2).max(60),
});
const Described = z
  .object({ InstanceIds: z.array(z.string()).max(100).optional(), Filters, Limit: z.int().max(100).optional() })
  .refine(({ InstanceIds, Filters: filters }) => InstanceIds === undefined || filters === undefined, 'ids or filters, not both');

function servers(deps: Deps): Record<string, Action> {
  const { book, clock } = deps;
  const power = (operation: Operation) =>
    takes(z.object({ InstanceIds: ofOne }), async ({ InstanceIds }) =>
      changed(deps, InstanceIds[0] ?? '', (server, now) => operate(server, operation, now)),
    );
  return {
    RunInstances: takes(Run, async (asked, region) => run(deps, asked, region)),
    DescribeInstances: takes(Described, async ({ InstanceIds, Filters: filters }, region) => {
      const tag = filters?.find(({ Name }) => Name.startsWith('tag:'));
      const found = tag ? await book.byTag(region, tag.Name.slice(4), tag.Values) : await book.byIds(InstanceIds ?? []);
      const now = clock.now();
      const InstanceSet = found
        .filter((one) => one.region === region && stateOf(one, now) !== 'TERMINATED')
        .map((one) => described(one, now));
      return say({ TotalCount: InstanceSet.length, InstanceSet });
    }),
    StartInstances: power('StartInstances'),
    StopInstances: power('StopInstances'),
    ResetInstance: takes(Reset, async ({ InstanceId, ImageId: imageId, LoginSettings, UserData: userData, HostName: hostName }) => {
      if (!(await book.hasImage(imageId))) return refuse('InvalidImageId.NotFound', `the image ${imageId} does not exist`);
      const to = { imageId, hostName, password: LoginSettings.Password ?? null, userData: userData ?? null };
      return changed(deps, InstanceId, (server, now) => operate(server, 'ResetInstance', now, to));
    }),
    TerminateInstances: takes(z.object({ InstanceIds: ofOne, ReleasePrepaidDataDisks: z.boolean().optional() }), async ({ InstanceIds }) =>
      changed(deps, InstanceIds[0] ?? '', terminate),
    ),
  };
}

async function run(deps: Deps, asked: z.infer<typeof Run>, region: string): Promise<Said> {
  const { book, clock } = deps;
  const refusal = await refusalOf(deps, asked, region);
  if (refusal) return refusal;
  const group = asked.SecurityGroupIds[0] ?? '';
  if (!securityGroupsOf(region).some(({ id }) => id === group)) return refuse('InvalidSecurityGroupId.NotFound', group);
  if (await book.take('sold-out')) return refuse('ResourcesSoldOut.SpecifiedInstanceType', `${asked.InstanceType} is sold out`);
  if (await book.take('quota')) return refuse('LimitExceeded.PrepayQuota', 'the account has as many prepaid instances as it may');
  const request = JSON.stringify(asked);
  const made = await book.add(newServer(asked, { request, region, now: clock.now(), fails: await book.take('launch-fails') }));
  if (made.asked !== request) return refuse('InvalidParameterCombination', 'the ClientToken stands for another request');
  return say({ InstanceIdSet: [made.serverId] });
}

type Making = { readonly request: string; readonly region: string; readonly now: Date; readonly fails: boolean };

function newServer(asked: z.infer<typeof Run>, { request, region, now, fails }: Making): CloudServer {
  const serverId = `ins-${BigInt(`0x${randomBytes(6).toString('hex')}`)
    .toString(36)
    .slice(-8)
    .padStart(8, '0')}`;
  const { Period } = asked.InstanceChargePrepaid;
  const readyAt = new Date(now.getTime() + makingMs(serverId));
  // The API writes times in whole seconds.
  const since = new Date(Math.floor(now.getTime() / 1_000) * 1_000);
  return {
    serverId,
    clientToken: asked.ClientToken,
    asked: request,
    name: asked.InstanceName,
    region,
    zone: asked.Placement.Zone,
    imageId: asked.ImageId,
    ...wanted(asked),
    securityGroupIds: asked.SecurityGroupIds,
    tags: asked.TagSpecification.flatMap(({ Tags }) => Tags),
    hostName: asked.InstanceName,
    password: asked.LoginSettings.Password ?? null,
    userData: asked.UserData ?? null,
    privateIp: `10.0.${randomInt(256)}.${1 + (spread(serverId) % 250)}`,
    publicIp: asked.InternetAccessible.PublicIpAssigned ? `203.0.113.${1 + (spread(serverId) % 250)}` : null,
    createdAt: since,
    readyAt,
    launch: fails ? 'fails' : 'works',
    power: 'on',
    operation: 'RunInstances',
    operationEndsAt: readyAt,
    expiresAt: addMonths(since, Period),
    returnedAt: null,
    destroyedAt: null,
    paid: sum(priceOf(wanted(asked), Period)),
  };
}

const seconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

function described(server: CloudServer, now: Date): object {
  const { serverId, zone, machineType, imageId, systemDisk, dataDisks, bandwidthMbps, publicIp, tags } = server;
  const { cpu, memoryGb } = machineTypes.find(({ type }) => type === machineType) ?? { cpu: 0, memoryGb: 0 };
  return {
    InstanceId: serverId,
    InstanceName: server.name,
    HostName: server.hostName,
    Placement: { Zone: zone },
    InstanceType: machineType,
    CPU: cpu,
    Memory: memoryGb,
    ImageId: imageId,
    InstanceChargeType: 'PREPAID',
    RenewFlag: 'NOTIFY_AND_MANUAL_RENEW',
    RestrictState: stateOf(server, now) === 'SHUTDOWN' ? 'EXPIRED' : 'NORMAL',
    SystemDisk: { DiskType: systemDisk.type, DiskSize: systemDisk.sizeGb },
    DataDisks: dataDisks.map(({ type, sizeGb }) => ({ DiskType: type, DiskSize: sizeGb })),
    InternetAccessible: {
      InternetChargeType: 'BANDWIDTH_PREPAID',
      InternetMaxBandwidthOut: bandwidthMbps,
      PublicIpAssigned: publicIp !== null,
    },
    PrivateIpAddresses: [server.privateIp],
    PublicIpAddresses: publicIp === null ? [] : [publicIp],
    SecurityGroupIds: server.securityGroupIds,
    Tags: tags,
    InstanceState: stateOf(server, now),
    CreatedTime: seconds(server.createdAt),
    ExpiredTime: seconds(server.expiresAt),
    LatestOperation: server.operation,
    LatestOperationState: isWorking(server, now) ? 'OPERATING' : 'SUCCESS',
    DefaultLoginUser: 'root',
  };
}
