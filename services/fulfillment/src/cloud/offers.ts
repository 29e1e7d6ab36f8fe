import { no, ok, type Result } from '@yunshi/kernel/result';
import type { ServerConfiguration, ServerDisk } from '@yunshi/kernel/server';
import type { Machine, Named } from './cloud.ts';
import { serverPolicy } from './policy.ts';

/** What there is to choose from in one region, under the images of one product. */
export type Offers = {
  readonly region: string;
  readonly zones: readonly Named[];
  readonly machines: readonly Machine[];
  readonly images: readonly Named[];
  readonly securityGroups: readonly Named[];
};

export type ServerField =
  | 'region'
  | 'zone'
  | 'machine_type'
  | 'image_id'
  | 'system_disk'
  | 'data_disks'
  | 'bandwidth/billing'
  | 'bandwidth/mbps'
  | 'security_group_id'
  | 'duration';
export type NotOffered = {
  readonly field: ServerField;
  readonly reason: 'not-offered' | 'sold-out' | 'paid-after-use';
  readonly offered: readonly string[];
};

/** Judges a configuration by the offers, in the order in which a buyer makes the choices. */
export function check(wanted: ServerConfiguration, months: number, offers: Offers): Result<undefined, NotOffered> {
  const { zone, machineType, imageId, systemDisk, dataDisks, bandwidth, securityGroupId } = wanted;
  const ids = (all: readonly Named[]) => all.map(({ id }) => id);
  const here = offers.machines.filter((machine) => machine.zone === zone);
  const sold = here.filter(({ isSoldOut }) => !isSoldOut).map(({ type }) => type);
  const billings: readonly string[] = serverPolicy.billings;
  const { bandwidthMbpsMax } = serverPolicy;
  if (!ids(offers.zones).includes(zone)) return refuse('zone', ids(offers.zones));
  if (!here.some(({ type }) => type === machineType)) return refuse('machine_type', sold);
  if (!sold.includes(machineType)) return refuse('machine_type', sold, 'sold-out');
  if (!ids(offers.images).includes(imageId)) return refuse('image_id', ids(offers.images));
  if (!isDisk(systemDisk, 'system')) return refuse('system_disk', diskOffers('system'));
  if (dataDisks.length > serverPolicy.dataDisksMax || !dataDisks.every((disk) => isDisk(disk, 'data')))
    return refuse('data_disks', diskOffers('data'));
  if (!billings.includes(bandwidth.billing)) return refuse('bandwidth/billing', billings, 'paid-after-use');
  if (bandwidth.mbps > bandwidthMbpsMax) return refuse('bandwidth/mbps', [`0–${bandwidthMbpsMax}`]);
  if (!ids(offers.securityGroups).includes(securityGroupId)) return refuse('security_group_id', ids(offers.securityGroups));
  return isPeriod(months) ? ok(undefined) : refuse('duration', serverPolicy.months.map(String));
}

export const isPeriod = (months: number): boolean => (serverPolicy.months as readonly number[]).includes(months);

/** How many offers a refusal names; there are regions with hundreds of machine types. */
const offeredMax = 200;
export const refuse = (field: ServerField, offered: readonly string[], reason: NotOffered['reason'] = 'not-offered') =>
  no({ field, reason, offered: offered.slice(0, offeredMax) });

function isDisk({ type, sizeGb }: ServerDisk, use: 'system' | 'data'): boolean {
  const range = serverPolicy.disks.find((disk) => disk.type === type)?.[use];
  return range !== undefined && sizeGb >= range[0] && sizeGb <= range[1] && sizeGb % serverPolicy.diskStepGb === 0;
}

const diskOffers = (use: 'system' | 'data'): string[] =>
  serverPolicy.disks.map((disk) => `${disk.type} ${disk[use][0]}–${disk[use][1]} GB`);

/** What a code of the cloud's says of a configuration that we thought was offered: its word counts. */
export function refusedByCloud(code: string): NotOffered | undefined {
  const found = fields.find(([shape]) => shape.test(code));
  return found && { field: found[1], reason: /^Resources?(?:SoldOut|Insufficient)/.test(code) ? 'sold-out' : 'not-offered', offered: [] };
}

const fields: readonly (readonly [RegExp, ServerField])[] = [
  [/^Resources?(?:SoldOut|Insufficient)/, 'machine_type'],
  [/InstanceType/, 'machine_type'],
  [/Zone/, 'zone'],
  [/Region/, 'region'],
  [/ImageId|Image/, 'image_id'],
  [/SecurityGroup/, 'security_group_id'],
  [/Bandwidth/, 'bandwidth/mbps'],
  [/Period/, 'duration'],
  [/Disk|InvalidParameterValue\.Range/, 'system_disk'],
];
