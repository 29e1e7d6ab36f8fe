import { createHash } from 'node:crypto';
import type { Disk } from './tables.ts';

/** What the played cloud sells, and for how much. Prices are fen a month. */

export const regions = [
  { region: 'ap-guangzhou', name: '华南地区(广州)', zones: ['ap-guangzhou-3', 'ap-guangzhou-6', 'ap-guangzhou-7'] },
  { region: 'ap-shanghai', name: '华东地区(上海)', zones: ['ap-shanghai-4', 'ap-shanghai-5'] },
  { region: 'ap-beijing', name: '华北地区(北京)', zones: ['ap-beijing-6', 'ap-beijing-7'] },
] as const;

export const machineTypes = [
  { type: 'S5.SMALL2', family: 'S5', name: '标准型S5', cpu: 1, memoryGb: 2, price: 6_500 },
  { type: 'S5.MEDIUM4', family: 'S5', name: '标准型S5', cpu: 2, memoryGb: 4, price: 13_000 },
  { type: 'S5.LARGE8', family: 'S5', name: '标准型S5', cpu: 4, memoryGb: 8, price: 26_000 },
  { type: 'S5.2XLARGE16', family: 'S5', name: '标准型S5', cpu: 8, memoryGb: 16, price: 52_000 },
  { type: 'SA5.MEDIUM4', family: 'SA5', name: '标准型SA5', cpu: 2, memoryGb: 4, price: 11_200 },
] as const;

/** In each region the first zone is the oldest, and has none of the large machines left. */
export const isSoldOut = (zone: string, type: string): boolean => type === 'S5.2XLARGE16' && regions.some(({ zones }) => zones[0] === zone);

const perGb: Readonly<Record<string, number>> = { CLOUD_BSSD: 50, CLOUD_SSD: 100, CLOUD_HSSD: 120 };
export const isDisk = ({ type, sizeGb }: Disk): boolean => type in perGb && sizeGb >= 20 && sizeGb <= 16_000 && sizeGb % 10 === 0;
export const bandwidthMbpsMax = 100;
export const months: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 24, 36, 48, 60];

/** The first five Mbps are cheap; percent of the price that is left for who takes it for long. */
const bandwidthPrice = (mbps: number): number => Math.min(mbps, 5) * 2_300 + Math.max(mbps - 5, 0) * 9_000;
const discount = (period: number): number => (period >= 36 ? 50 : period >= 24 ? 70 : period >= 12 ? 83 : 100);

export type Priced = { readonly original: number; readonly discounted: number; readonly percent: number };
const priced = (monthly: number, period: number): Priced => {
  const [original, percent] = [monthly * period, discount(period)];
  return { original, percent, discounted: Math.round((original * percent) / 100) };
};

export type Asked = {
  readonly machineType: string;
  readonly systemDisk: Disk;
  readonly dataDisks: readonly Disk[];
  readonly bandwidthMbps: number;
};
export function priceOf({ machineType, systemDisk, dataDisks, bandwidthMbps }: Asked, period: number) {
  const machine = machineTypes.find(({ type }) => type === machineType)?.price ?? 0;
  const disks = [systemDisk, ...dataDisks].reduce((sum, { type, sizeGb }) => sum + (perGb[type] ?? 0) * sizeGb, 0);
  return { instance: priced(machine + disks, period), bandwidth: priced(bandwidthPrice(bandwidthMbps), period) };
}

const systems = ['Ubuntu Server 24.04 LTS 64bit', 'TencentOS Server 4', 'Debian 12.5 64bit'] as const;

/** The images that a provider has shared for a product: always the same ones. */
export const imagesFor = (product: string) =>
  systems.map((system, nth) => ({ imageId: idFrom('img', `${product} ${nth}`), name: system, product }));

export const securityGroupsOf = (region: string) => [
  { id: idFrom('sg', `${region} web`), name: '放通22，80，443，3389端口和ICMP协议', description: '网站服务器' },
  { id: idFrom('sg', `${region} ssh`), name: '仅放通22端口', description: '只用 SSH 登录' },
  { id: idFrom('sg', `${region} all`), name: '放通全部端口', description: '仅用于测试' },
];

/** Eight characters that follow from the text, as the cloud's own ids have them. */
export function idFrom(prefix: string, text: string): string {
  const digits = BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 16)}`).toString(36);
  return `${prefix}-${digits.slice(-8).padStart(8, '0')}`;
}
