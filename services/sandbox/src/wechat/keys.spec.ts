import { createPublicKey } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addCertificate, ensureKeys, merchantEnvironment, readKeys } from './keys.ts';

const wall = new Date('2026-03-01T04:00:00Z');
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'wechat-keys-'));
});
afterAll(async () => rm(root, { recursive: true }));

test('several that start at once agree on one set of keys', async () => {
  const all = await Promise.all([1, 2, 3].map(async () => ensureKeys(join(root, 'deep', 'shared'), wall)));
  expect(new Set(all.map(({ merchant }) => merchant.apiv3_key)).size).toBe(1);
});

test('keys are made once and kept', async () => {
  const folder = join(root, 'kept');
  const [first, second] = [await ensureKeys(folder, wall), await ensureKeys(folder, wall)];
  expect(second.merchant).toEqual(first.merchant);
  expect(second.certificates.map(({ serial }) => serial)).toEqual(first.certificates.map(({ serial }) => serial));
});

test('the public key that a merchant downloads is the other half of the one that signs', async () => {
  const { publicKey, publicKeyPem } = await ensureKeys(join(root, 'halves'), wall);
  expect(createPublicKey(publicKey.privateKey).equals(createPublicKey(publicKeyPem))).toBe(true);
});

test('a new certificate comes last and the old one stays', async () => {
  const folder = join(root, 'rotated');
  const { certificates: before } = await ensureKeys(folder, wall);
  await addCertificate(folder, wall);
  const { certificates: after } = await readKeys(folder);
  expect(after.map(({ serial }) => serial)).toEqual([before[0]!.serial, after[1]!.serial]);
  expect(after).toHaveLength(2);
});

test('the merchant is told neither the platform keys nor where they are', async () => {
  const folder = join(root, 'told');
  await ensureKeys(folder, wall);
  expect(JSON.stringify(await merchantEnvironment(folder))).not.toContain('platform');
});
