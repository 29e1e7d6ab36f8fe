import { BandwidthBilling, ServerConfiguration } from '@yunshi/kernel/server';
import { Fen } from '@yunshi/kernel/money';
import { z } from 'zod';
import { serverAmountOf, type ServerSale } from './server.ts';

/** A cloud server as buyers write it and are shown it. */

const { region, zone, machineType, imageId, systemDisk, bandwidth, securityGroupId, login } = ServerConfiguration.shape;
const [password, key] = login.options;
const Disk = z.strictObject({ type: systemDisk.shape.type, size_gb: systemDisk.shape.sizeGb });

export const ServerWish = z
  .strictObject({
    region: region.meta({ description: '地域' }),
    zone: zone.meta({ description: '可用区' }),
    machine_type: machineType.meta({ description: '机型' }),
    image_id: imageId.meta({ description: '镜像: one of the product' }),
    system_disk: Disk,
    data_disks: z.array(Disk).max(20).default([]),
    bandwidth: z.strictObject({ billing: BandwidthBilling.default('by_bandwidth'), mbps: bandwidth.shape.mbps }),
    security_group_id: securityGroupId.meta({ description: '安全组' }),
    login: z.discriminatedUnion('method', [
      z.strictObject({ method: password.shape.method }).meta({ description: 'It is drawn, and shown to its owner alone' }),
      z.strictObject({ method: key.shape.method, public_key: key.shape.publicKey }),
    ]),
  })
  .meta({ id: 'ServerWish', description: 'What there is to choose from: `GET /v1/server-offers`' });
type ServerWish = z.output<typeof ServerWish>;

const diskIn = ({ type, size_gb: sizeGb }: ServerWish['system_disk']) => ({ type, sizeGb });
const diskOut = ({ type, sizeGb }: ServerConfiguration['systemDisk']) => ({ type, size_gb: sizeGb });

export const configurationIn = (wish: ServerWish): ServerConfiguration => ({
  region: wish.region,
  zone: wish.zone,
  machineType: wish.machine_type,
  imageId: wish.image_id,
  systemDisk: diskIn(wish.system_disk),
  dataDisks: wish.data_disks.map(diskIn),
  bandwidth: wish.bandwidth,
  securityGroupId: wish.security_group_id,
  login: wish.login.method === 'ssh_key' ? { method: 'ssh_key', publicKey: wish.login.public_key } : { method: 'password' },
});

const configurationOut = (wanted: ServerConfiguration): ServerWish => ({
  region: wanted.region,
  zone: wanted.zone,
  machine_type: wanted.machineType,
  image_id: wanted.imageId,
  system_disk: diskOut(wanted.systemDisk),
  data_disks: wanted.dataDisks.map(diskOut),
  bandwidth: wanted.bandwidth,
  security_group_id: wanted.securityGroupId,
  login: wanted.login.method === 'ssh_key' ? { method: 'ssh_key', public_key: wanted.login.publicKey } : { method: 'password' },
});

export const ShownServerSale = z
  .object({
    configuration: ServerWish.nullable().meta({ description: 'null: one more period of the server that is there' }),
    machine: Fen.meta({ description: 'With its disks, for all of the period' }),
    bandwidth: Fen,
    amount: Fen.meta({ description: 'Both; a part of the total that no coupon takes off from' }),
  })
  .nullable()
  .meta({ description: 'Of an image: the cloud server, sold by the marketplace itself' });

export const shownServerSale = (server: ServerSale | null): z.infer<typeof ShownServerSale> =>
  server && {
    configuration: server.configuration && configurationOut(server.configuration),
    machine: server.machine,
    bandwidth: server.bandwidth,
    amount: serverAmountOf(server),
  };
