import { configOf, seeded, serviceEnvironment } from '@yunshi/service/environment';
import { EncryptionKeys } from '@yunshi/service/vault';
import { UNIONPAY } from '@yunshi/protocols/unionpay/certificate';
import { z } from 'zod';

const REAL = { base: 'https://api.mch.weixin.qq.com', backup: 'https://api2.mch.weixin.qq.com' } as const;
const BaseUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

/** The variables that this service reads. */
export const Environment = serviceEnvironment({
  ...seeded,
  ENCRYPTION_KEY: EncryptionKeys.describe(
    'Encrypts numbers of bank accounts at rest. Several, parted by commas, while one takes over from another: the first seals',
  ),
  MSE_PAY_PLATFORM_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Our platform’s number at 商企付; absent, companies cannot pay through it here'),
  MSE_PAY_PLATFORM_SERIAL: z.string().min(1).optional().describe('Serial number of the key that we sign with there'),
  MSE_PAY_PLATFORM_PRIVATE_KEY_FILE: z.string().min(1).optional().describe('That key, a PEM file'),
  MSE_PAY_TBEP_SERIAL: z.string().min(1).optional().describe('Serial number of 商企付’s own key'),
  MSE_PAY_TBEP_PUBLIC_KEY_FILE: z.string().min(1).optional().describe('That key, a PEM file'),
  MSE_PAY_BASE_URL: BaseUrl.default('https://api.businesspay.qq.com').describe('Where 商企付 is; the sandbox in development'),
  MSE_PAY_NOTIFY_BASE_URL: BaseUrl.optional().describe("Where 商企付 finds this service's callback route"),
  MSE_PAY_RETURN_URL: z.url().optional().describe('Where the bank’s page sends the buyer back to; coming back moves nothing'),
  UNIONPAY_CERTIFICATE_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('Our certificate at UnionPay, a PEM file; absent, companies cannot pay through UnionPay B2B here'),
  UNIONPAY_PRIVATE_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('Its private key, a PEM file. Both may be exchanged, and so may UnionPay’s certificates, while this runs'),
  UNIONPAY_ROOT_FILE: z.string().min(1).optional().describe('UnionPay’s root certificate, a PEM file'),
  UNIONPAY_MIDDLE_FILE: z.string().min(1).optional().describe('The certificate between that and what UnionPay signs with, a PEM file'),
  UNIONPAY_SIGNER: z.string().min(1).default(UNIONPAY).describe('Whom the certificate that UnionPay signs with belongs to'),
  UNIONPAY_BASE_URL: BaseUrl.default('https://gateway.95516.com').describe('Where UnionPay is; the sandbox in development'),
  UNIONPAY_FRONT_URL: BaseUrl.optional().describe('Where a buyer’s browser finds UnionPay, if not there as well'),
  UNIONPAY_FILE_URL: z.url().default('https://filedownload.95516.com/').describe('Where its clearing files are fetched'),
  UNIONPAY_NOTIFY_BASE_URL: BaseUrl.optional().describe("Where UnionPay finds this service's callback route"),
  UNIONPAY_PAGE_BASE_URL: BaseUrl.optional().describe('Where a buyer’s browser finds the page that leads to UnionPay: the gateway'),
  UNIONPAY_RETURN_URL: z.url().optional().describe('Where the buyer goes on after UnionPay’s page; coming back moves nothing'),
  WECHAT_MCHID: z.string().min(1).max(32).describe("The platform's merchant number at WeChat Pay"),
  WECHAT_APPID: z.string().min(1).max(32).describe('The appid that payments are made under'),
  WECHAT_MERCHANT_SERIAL: z.string().min(1).optional().describe("Serial number of the merchant's API certificate"),
  WECHAT_MERCHANT_CERTIFICATE_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('That certificate itself, instead of its number: it may then be exchanged together with the private key while this runs'),
  WECHAT_MERCHANT_PRIVATE_KEY_FILE: z.string().min(1).describe("The merchant's private key, a PEM file"),
  WECHAT_APIV3_KEY: z.string().length(32).optional().describe('The APIv3 key, 32 characters: opens what callbacks carry'),
  WECHAT_APIV3_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('A file with that key instead, or with two, a line each, while one takes over from the other. It may change while this runs'),
  WECHAT_PUBLIC_KEY_ID: z.string().startsWith('PUB_KEY_ID_').optional().describe('Public-key mode: the id of WeChat Pay’s public key'),
  WECHAT_PUBLIC_KEY_FILE: z.string().min(1).optional().describe('Public-key mode: that key, a PEM file'),
  WECHAT_PLATFORM_KEYS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('More keys by serial, as JSON: while a merchant moves from certificates to the public key, both are needed'),
  WECHAT_CERTIFICATES: z
    .enum(['on', 'off'])
    .default('off')
    .describe('Certificate mode: fetch certificates from WeChat Pay, at the start, twice a day, and when an unknown one signs'),
  WECHAT_BASE_URL: BaseUrl.default(REAL.base).describe('Where WeChat Pay is; the sandbox in development'),
  WECHAT_BACKUP_URL: BaseUrl.optional().describe('Where to turn when the first cannot be reached'),
  WECHAT_NOTIFY_BASE_URL: BaseUrl.describe("Where WeChat Pay finds this service's callback routes"),
  WALLET_PAYOUT_URL: BaseUrl.optional().describe(
    'The treasury that pays account balances out by their original routes; without it those routes are closed',
  ),
  WALLET_PAYOUT_TOKEN: z.string().min(16).optional().describe('What the treasury knows us by'),
  WECHAT_PAY_PAGE_URL: BaseUrl.optional().describe(
    "The sandbox's page that plays the payer; shown to buyers. Never set with the real service",
  ),
})
  .refine((env) => env.NODE_ENV !== 'production' || env.MSE_PAY_BASE_URL.startsWith('https:'), {
    message: 'https in production',
    path: ['MSE_PAY_BASE_URL'],
  })
  .refine((env) => env.MSE_PAY_PLATFORM_ID === undefined || msePayOf(env) !== undefined, {
    message: 'a platform at 商企付 needs its serial, both keys and an address for notices',
    path: ['MSE_PAY_PLATFORM_ID'],
  })
  .refine((env) => env.NODE_ENV !== 'production' || unionpayUrls(env).every((url) => url?.startsWith('http:') !== true), {
    message: 'https in production',
    path: ['UNIONPAY_BASE_URL'],
  })
  .refine((env) => env.NODE_ENV !== 'production' || env.UNIONPAY_SIGNER === UNIONPAY, {
    message: 'in production only UnionPay itself is believed',
    path: ['UNIONPAY_SIGNER'],
  })
  .refine((env) => env.UNIONPAY_CERTIFICATE_FILE === undefined || unionpayOf(env) !== undefined, {
    message: 'a certificate at UnionPay needs its key, UnionPay’s root and middle certificates, and addresses for notices and pages',
    path: ['UNIONPAY_CERTIFICATE_FILE'],
  })
  .refine((env) => env.NODE_ENV !== 'production' || env.WECHAT_BASE_URL.startsWith('https:'), {
    message: 'https in production',
    path: ['WECHAT_BASE_URL'],
  })
  .refine((env) => env.WECHAT_NOTIFY_BASE_URL.startsWith('https:') || isPlay(env), {
    message: 'WeChat Pay calls back over https only; http is for the sandbox in development',
    path: ['WECHAT_NOTIFY_BASE_URL'],
  })
  .refine((env) => env.WECHAT_PAY_PAGE_URL === undefined || isPlay(env), {
    message: 'only the sandbox has a page that plays the payer, and only in development',
    path: ['WECHAT_PAY_PAGE_URL'],
  })
  .refine((env) => (env.WALLET_PAYOUT_URL === undefined) === (env.WALLET_PAYOUT_TOKEN === undefined), {
    message: 'the treasury needs its URL and its token',
    path: ['WALLET_PAYOUT_TOKEN'],
  })
  .refine((env) => env.NODE_ENV !== 'production' || env.WALLET_PAYOUT_URL?.startsWith('http:') !== true, {
    message: 'https in production',
    path: ['WALLET_PAYOUT_URL'],
  })
  .refine((env) => (env.WECHAT_PUBLIC_KEY_ID === undefined) === (env.WECHAT_PUBLIC_KEY_FILE === undefined), {
    message: 'the public key needs its id and its file',
    path: ['WECHAT_PUBLIC_KEY_ID'],
  })
  .refine(
    (env) => env.WECHAT_PUBLIC_KEY_ID !== undefined || env.WECHAT_PLATFORM_KEYS_FILE !== undefined || env.WECHAT_CERTIFICATES === 'on',
    { message: 'one way to verify what WeChat Pay signs is needed', path: ['WECHAT_PUBLIC_KEY_ID'] },
  )
  .refine((env) => exactlyOne(env.WECHAT_MERCHANT_SERIAL, env.WECHAT_MERCHANT_CERTIFICATE_FILE), {
    message: 'the certificate that signs is named by its number or by its file',
    path: ['WECHAT_MERCHANT_SERIAL'],
  })
  .refine((env) => exactlyOne(env.WECHAT_APIV3_KEY, env.WECHAT_APIV3_KEY_FILE), {
    message: 'the APIv3 key is given as it is or as a file',
    path: ['WECHAT_APIV3_KEY'],
  });

const exactlyOne = (one: string | undefined, other: string | undefined): boolean => (one === undefined) !== (other === undefined);

type MsePayEnvironment = Readonly<Partial<Record<`MSE_PAY_${string}`, string | undefined>>> & { readonly MSE_PAY_BASE_URL: string };

/** What is needed to be paid through 商企付, if all of it is there. */
function msePayOf(env: MsePayEnvironment) {
  const platformId = env['MSE_PAY_PLATFORM_ID'];
  const platformSerial = env['MSE_PAY_PLATFORM_SERIAL'];
  const privateKeyFile = env['MSE_PAY_PLATFORM_PRIVATE_KEY_FILE'];
  const tbepSerial = env['MSE_PAY_TBEP_SERIAL'];
  const tbepPublicKeyFile = env['MSE_PAY_TBEP_PUBLIC_KEY_FILE'];
  const notifyBaseUrl = env['MSE_PAY_NOTIFY_BASE_URL'];
  if (!platformId || !platformSerial || !privateKeyFile || !tbepSerial || !tbepPublicKeyFile || !notifyBaseUrl) return undefined;
  const { MSE_PAY_BASE_URL: baseUrl } = env;
  const returnUrl = env['MSE_PAY_RETURN_URL'];
  return { platformId, platformSerial, privateKeyFile, tbepSerial, tbepPublicKeyFile, baseUrl, notifyBaseUrl, returnUrl };
}

type UnionpayEnvironment = Readonly<Partial<Record<`UNIONPAY_${string}`, string | undefined>>> & {
  readonly UNIONPAY_SIGNER: string;
  readonly UNIONPAY_BASE_URL: string;
  readonly UNIONPAY_FILE_URL: string;
};

const unionpayUrls = (env: UnionpayEnvironment) => [
  env.UNIONPAY_BASE_URL,
  env.UNIONPAY_FILE_URL,
  env['UNIONPAY_FRONT_URL'],
  env['UNIONPAY_NOTIFY_BASE_URL'],
  env['UNIONPAY_PAGE_BASE_URL'],
];

/** What is needed to be paid through UnionPay, if all of it is there. */
function unionpayOf(env: UnionpayEnvironment) {
  const certificateFile = env['UNIONPAY_CERTIFICATE_FILE'];
  const privateKeyFile = env['UNIONPAY_PRIVATE_KEY_FILE'];
  const rootFile = env['UNIONPAY_ROOT_FILE'];
  const middleFile = env['UNIONPAY_MIDDLE_FILE'];
  const notifyBaseUrl = env['UNIONPAY_NOTIFY_BASE_URL'];
  const pageBaseUrl = env['UNIONPAY_PAGE_BASE_URL'];
  if (!certificateFile || !privateKeyFile || !rootFile || !middleFile || !notifyBaseUrl || !pageBaseUrl) return undefined;
  const { UNIONPAY_SIGNER: signer, UNIONPAY_BASE_URL: baseUrl, UNIONPAY_FILE_URL: fileUrl } = env;
  return {
    keys: { certificateFile, privateKeyFile, rootFile, middleFile, signer },
    us: { baseUrl, frontBaseUrl: env['UNIONPAY_FRONT_URL'] ?? baseUrl, notifyBaseUrl, pageBaseUrl },
    fileUrl,
    returnUrl: env['UNIONPAY_RETURN_URL'],
  };
}

type Play = { readonly NODE_ENV: string; readonly WECHAT_BASE_URL: string };
const isPlay = ({ NODE_ENV, WECHAT_BASE_URL }: Play): boolean => NODE_ENV !== 'production' && WECHAT_BASE_URL !== REAL.base;

export type Config = ReturnType<typeof readConfig>;

export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const read = Environment.parse(env);
  const { WECHAT_PUBLIC_KEY_ID: id, WECHAT_PUBLIC_KEY_FILE: file } = read;
  const backup = read.WECHAT_BACKUP_URL ?? (read.WECHAT_BASE_URL === REAL.base ? REAL.backup : undefined);
  return {
    ...configOf(read),
    encryptionKeys: read.ENCRYPTION_KEY,
    seed: read.SEED === 'demo',
    treasury:
      read.WALLET_PAYOUT_URL === undefined || read.WALLET_PAYOUT_TOKEN === undefined
        ? undefined
        : { url: read.WALLET_PAYOUT_URL, token: read.WALLET_PAYOUT_TOKEN },
    msePay: msePayOf(read),
    unionpay: unionpayOf(read),
    wechat: {
      mchid: read.WECHAT_MCHID,
      appid: read.WECHAT_APPID,
      serial:
        read.WECHAT_MERCHANT_SERIAL === undefined
          ? { certificateFile: read.WECHAT_MERCHANT_CERTIFICATE_FILE ?? '' }
          : { number: read.WECHAT_MERCHANT_SERIAL },
      privateKeyFile: read.WECHAT_MERCHANT_PRIVATE_KEY_FILE,
      apiV3Key: read.WECHAT_APIV3_KEY === undefined ? { file: read.WECHAT_APIV3_KEY_FILE ?? '' } : { value: read.WECHAT_APIV3_KEY },
      publicKey: id === undefined || file === undefined ? undefined : { id, file },
      keysFile: read.WECHAT_PLATFORM_KEYS_FILE,
      certificates: read.WECHAT_CERTIFICATES === 'on',
      hosts: [read.WECHAT_BASE_URL, ...(backup === undefined ? [] : [backup])] as [string, ...string[]],
      notifyBaseUrl: read.WECHAT_NOTIFY_BASE_URL,
      payPageUrl: read.WECHAT_PAY_PAGE_URL,
    },
  };
}
