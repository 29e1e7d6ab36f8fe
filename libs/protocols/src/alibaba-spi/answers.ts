import { z } from 'zod';
import { bodyAs, webAddress } from '../answer-body.ts';
import type { Unreadable } from '../answer-body.ts';

/** What a provider answered to a call of the SPI. Pure: no answer makes these throw. */

const idLengthMax = 128;
const fieldsMax = 50;
const textLengthMax = 4096;

export type Field = { name: string; value: string };
export type SpiCreated =
  | { kind: 'delivered'; instanceId: string; website?: string; authUrl?: string; fields: Field[]; warnings: string[] }
  /** instanceId "0": not yet, ask again. */
  | { kind: 'pending' }
  | Unreadable;
export type SpiConsent = { kind: 'agreed' } | { kind: 'declined' } | Unreadable;

const Scalar = z.union([z.string().max(textLengthMax), z.number(), z.boolean()]).nullable();
/** Deeper structures have nowhere to be shown. */
const Facts = z
  .record(z.string().max(64), z.unknown())
  .refine((facts) => Object.keys(facts).length <= fieldsMax, `more than ${fieldsMax} members`)
  .nullish();
const Created = z.object({
  instanceId: z.union([z.string().trim().min(1).max(idLengthMax), z.int().min(0).transform(String)]),
  hostInfo: Facts,
  appInfo: Facts,
  info: Facts,
});
/** The document shows the string; real providers answer the boolean. */
const Consent = z.object({ success: z.union([z.boolean(), z.enum(['true', 'false'])]).transform((flag) => String(flag) === 'true') });

export function readCreated(text: string): SpiCreated {
  const read = bodyAs(Created, text);
  if (!read.ok) return read.unreadable;
  const { instanceId, hostInfo, appInfo, info } = read.value;
  if (instanceId === '0') return { kind: 'pending' };
  const warnings: string[] = [];
  const { frontEndUrl, authUrl, ...rest } = appInfo ?? {};
  const website = link('frontEndUrl', frontEndUrl, warnings);
  const login = link('authUrl', authUrl, warnings);
  return {
    kind: 'delivered',
    instanceId,
    ...(website !== undefined && { website }),
    ...(login !== undefined && { authUrl: login }),
    fields: [...shown(rest, warnings), ...shown(hostInfo ?? {}, warnings), ...shown(info ?? {}, warnings)].slice(0, fieldsMax),
    warnings,
  };
}

/** The answer to renew, upgrade, expired and release. */
export function readConsent(text: string): SpiConsent {
  const read = bodyAs(Consent, text);
  if (!read.ok) return read.unreadable;
  return { kind: read.value.success ? 'agreed' : 'declined' };
}

function link(name: string, value: unknown, warnings: string[]): string | undefined {
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const address = webAddress(value);
  if (address === undefined || value.length > textLengthMax) warnings.push(`appInfo.${name} is not a web address`);
  return value.length > textLengthMax ? undefined : address;
}

/** What the members are called where a buyer reads them. */
const labels: Readonly<Record<string, string>> = {
  username: '账号',
  password: '初始密码',
  adminUrl: '管理后台',
  licenseId: '许可证',
  name: '主机名',
  ip: '公网地址',
  innerIp: '内网地址',
  cname: 'CNAME',
  tempDomain: '临时域名',
  ftpUsername: 'FTP 账号',
  ftpPassword: 'FTP 密码',
  region: '地域',
  beianInfo: '备案信息',
  databaseInfo: '数据库信息',
};

function shown(facts: Readonly<Record<string, unknown>>, warnings: string[]): Field[] {
  return Object.entries(facts).flatMap(([name, value]) => {
    const scalar = Scalar.safeParse(value);
    if (!scalar.success) warnings.push(`${name} cannot be shown`);
    if (!scalar.success || scalar.data === null || scalar.data === '') return [];
    return [{ name: Object.hasOwn(labels, name) ? labels[name]! : name, value: String(scalar.data) }];
  });
}
