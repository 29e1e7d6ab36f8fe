import { configOf, serviceEnvironment } from '@yunshi/service/environment';
import { EncryptionKeys } from '@yunshi/service/vault';
import { z } from 'zod';

/** The variables that this service reads. */
export const Environment = serviceEnvironment({
  ENCRYPTION_KEY: EncryptionKeys.describe(
    'Encrypts credentials and tokens at rest. Several, parted by commas, while one takes over from another: the first seals',
  ),
  PROVIDER_SANDBOX_URL: z
    .url()
    .optional()
    .describe('Where the sandbox plays providers that have given no endpoint of their own. Development only'),
  SANDBOX_PROVIDER_SECRET: z.string().min(16).optional().describe("What the played providers' tokens are made from"),
  CALLS_URL: z.url().optional().describe('Where callers of API products find the gateway for calls'),
  CLOUD_SECRET_ID: z.string().min(1).optional().describe('Who we are to the cloud that rents servers; absent, no images are sold'),
  CLOUD_SECRET_KEY: z.string().min(16).optional().describe('What calls of the cloud are signed with'),
  CLOUD_URL: z.url().optional().describe('Where the sandbox plays the cloud; absent, it is the real one. Development only'),
  CLOUD_REGIONS: z
    .string()
    .transform((text) => text.split(',').filter(Boolean))
    .optional()
    .describe('Regions 地域 in which servers are sold, parted by commas; all that the cloud has, if absent'),
})
  .refine((env) => env.NODE_ENV !== 'production' || env.CLOUD_URL === undefined, {
    message: 'the sandbox never plays the cloud in production',
    path: ['CLOUD_URL'],
  })
  .refine((env) => (env.CLOUD_SECRET_ID === undefined) === (env.CLOUD_SECRET_KEY === undefined), {
    message: 'the cloud needs both the id and the key',
    path: ['CLOUD_SECRET_KEY'],
  })
  .refine((env) => env.NODE_ENV !== 'production' || env.PROVIDER_SANDBOX_URL === undefined, {
    message: 'the sandbox never plays a provider in production',
    path: ['PROVIDER_SANDBOX_URL'],
  })
  .refine((env) => (env.PROVIDER_SANDBOX_URL === undefined) === (env.SANDBOX_PROVIDER_SECRET === undefined), {
    message: 'the sandbox needs its URL and its secret',
    path: ['SANDBOX_PROVIDER_SECRET'],
  });

export type Config = ReturnType<typeof readConfig>;

export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const read = Environment.parse(env);
  const { PROVIDER_SANDBOX_URL: url, SANDBOX_PROVIDER_SECRET: secret, CLOUD_SECRET_ID: secretId, CLOUD_SECRET_KEY: secretKey } = read;
  return {
    ...configOf(read),
    encryptionKeys: read.ENCRYPTION_KEY,
    callsUrl: read.CALLS_URL?.replace(/\/+$/, ''),
    cloud:
      secretId === undefined || secretKey === undefined
        ? undefined
        : { secretId, secretKey, url: read.CLOUD_URL, regions: read.CLOUD_REGIONS },
    sandbox: url === undefined || secret === undefined ? undefined : { url: url.replace(/\/+$/, ''), secret },
  };
}
