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
  const { PROVIDER_SANDBOX_URL: url, SANDBOX_PROVIDER_SECRET: secret } = read;
  return {
    ...configOf(read),
    encryptionKeys: read.ENCRYPTION_KEY,
    sandbox: url === undefined || secret === undefined ? undefined : { url: url.replace(/\/+$/, ''), secret },
  };
}
