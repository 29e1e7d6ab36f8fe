import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configOf, serviceEnvironment } from '@yunshi/service/environment';
import { EncryptionKeys } from '@yunshi/service/vault';
import { z } from 'zod';

/** The variables that this service reads. */
export const Environment = serviceEnvironment({
  ENCRYPTION_KEY: EncryptionKeys.describe('The keys that fulfillment seals secret keys and tokens of upstreams with; all of them open'),
  JOURNAL_DIR: z
    .string()
    .min(1)
    .default(join(tmpdir(), 'yunshi-calls'))
    .describe(
      'Where calls are written down before they are forwarded: a disk that outlives the process, shared by the processes of one machine',
    ),
  UPSTREAM_SANDBOX_URL: z
    .url()
    .optional()
    .describe('Where the sandbox plays upstreams of products whose provider has set none. Development only'),
}).refine((env) => env.NODE_ENV !== 'production' || env.UPSTREAM_SANDBOX_URL === undefined, {
  message: 'the sandbox never plays an upstream in production',
  path: ['UPSTREAM_SANDBOX_URL'],
});

export type Config = ReturnType<typeof readConfig>;

export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const read = Environment.parse(env);
  return {
    ...configOf(read),
    encryptionKeys: read.ENCRYPTION_KEY,
    journalDir: read.JOURNAL_DIR,
    sandboxUrl: read.UPSTREAM_SANDBOX_URL?.replace(/\/+$/, ''),
  };
}
