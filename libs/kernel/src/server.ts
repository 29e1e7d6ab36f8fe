import { z } from 'zod';

/** A cloud server as a buyer wants it under an image 镜像. What there is to choose from is the cloud's, and checked with it. */

/** As clouds name regions, machine types, images and the like. */
const CloudName = z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/);

/** 云硬盘. */
export const ServerDisk = z.object({ type: CloudName, sizeGb: z.int().min(1).max(100_000) });
export type ServerDisk = z.infer<typeof ServerDisk>;

/** How bandwidth 带宽 is billed: what was ordered, paid before 按带宽包月, or what was used, paid after 按流量后付费. */
export const BandwidthBilling = z.enum(['by_bandwidth', 'by_traffic']);

/** A line of `authorized_keys`, without options in front. */
const PublicKey = z
  .string()
  .max(2_000)
  .regex(/^(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{40,}={0,3}(?: [\w.@+-]{1,100})?$/);

/** How its owner gets in: by a password that is drawn for it and shown to its owner alone, or by the owner's own SSH key. */
export const ServerLogin = z.discriminatedUnion('method', [
  z.object({ method: z.literal('password') }),
  z.object({ method: z.literal('ssh_key'), publicKey: PublicKey }),
]);
export type ServerLogin = z.infer<typeof ServerLogin>;

export const ServerConfiguration = z.object({
  /** 地域 and 可用区. */
  region: CloudName,
  zone: CloudName,
  /** 机型. */
  machineType: CloudName,
  imageId: CloudName,
  systemDisk: ServerDisk,
  dataDisks: z.array(ServerDisk).max(20),
  bandwidth: z.object({ billing: BandwidthBilling, mbps: z.int().min(0).max(10_000) }),
  /** 安全组. */
  securityGroupId: CloudName,
  login: ServerLogin,
});
export type ServerConfiguration = z.infer<typeof ServerConfiguration>;
