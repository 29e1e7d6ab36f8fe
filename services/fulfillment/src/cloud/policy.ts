/** What of a cloud's offers this marketplace passes on, and how long it waits for its servers. One place for the numbers; times are business time. */
export const serverPolicy = {
  /** Cloud disks 云硬盘 by type, and how large they may be, in GB. */
  disks: [
    { type: 'CLOUD_BSSD', name: '通用型 SSD 云硬盘', system: [20, 2_048], data: [20, 16_000] },
    { type: 'CLOUD_SSD', name: 'SSD 云硬盘', system: [20, 2_048], data: [20, 16_000] },
    { type: 'CLOUD_HSSD', name: '增强型 SSD 云硬盘', system: [20, 2_048], data: [20, 16_000] },
  ],
  diskStepGb: 10,
  dataDisksMax: 20,
  bandwidthMbpsMax: 100,
  /** Prepaid alone: what is billed by use has been used before anybody has paid for it. */
  billings: ['by_bandwidth'],
  /** For how many months a server can be taken at once. */
  months: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 24, 36, 48, 60],

  /** A server that does not run after this long will not: the cloud promises minutes. */
  makingMsMax: 60 * 60_000,
  makingBackOff: { firstMs: 10_000, factor: 1.3, msMax: 30_000, spread: 0.2 },
  /** An unbroken run of errors or silence for this long ends the delivery. */
  failingMsMax: 3 * 3_600_000,
  /** What is left at the cloud costs money every day: it is asked for until it is gone. */
  releasingMsMax: 3_650 * 86_400_000,
  backOff: { firstMs: 5_000, factor: 2, msMax: 15 * 60_000, spread: 0.2 },
  /** A request whose answer never came may still arrive at the cloud: for so long a server is looked for that nobody has seen. */
  lookForMs: 30 * 60_000,
  /** How long the buyer's own start, stop or reinstallation is asked for. */
  operatingMsMax: 30 * 60_000,
  operatingBackOff: { firstMs: 5_000, factor: 1.3, msMax: 30_000, spread: 0.2 },
} as const;
