import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSecrets, type Secrets, type SecretSources } from '@yunshi/payment-gateway/wechat/secrets';
import { authorize, parseAuthorization, verifyRequest } from '@yunshi/protocols/wechat/request-signature';
import { selfSigned } from '@yunshi/sandbox/certificate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-'));
});
afterAll(() => rm(folder, { recursive: true }));

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const [older, newer] = [pair(), pair()];
const [firstKey, secondKey] = ['0123456789abcdef0123456789ABCDEF', 'fedcba9876543210fedcba9876543210'];
const sources = (): SecretSources => ({
  mchid: '1900000001',
  privateKeyFile: join(folder, 'key.pem'),
  serial: { certificateFile: join(folder, 'cert.pem') },
  apiV3Key: { file: join(folder, 'apiv3.txt') },
});
const put = (name: string, text: string) => writeFile(join(folder, name), text);
const putKey = ({ privateKey }: ReturnType<typeof pair>) => put('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
const putCertificate = (of: ReturnType<typeof pair>, serial: string) => {
  const names = { commonName: '1900000001', organisation: 'test', from: new Date(), until: new Date(Date.now() + 86_400_000) };
  return put('cert.pem', selfSigned({ serial, ...names }, of.privateKey));
};

async function opened(): Promise<Secrets> {
  await Promise.all([putKey(older), putCertificate(older, '7AAA'), put('apiv3.txt', `${firstKey}\n`)]);
  return openSecrets(sources(), () => undefined, 3_600_000);
}
const request = { method: 'GET', target: '/x', body: '' };
const signed = ({ merchant }: Secrets) => authorize(request, merchant(), { wallMs: Date.now(), nonce: 'n' });

describe('secrets', () => {
  test('are what the files say, the serial that of the certificate', async () => {
    const secrets = await opened();
    expect(parseAuthorization(signed(secrets))).toMatchObject({ ok: true, value: { serialNo: '7AAA' } });
    expect(secrets.apiV3Keys().map(String)).toEqual([firstKey]);
    secrets.stop();
  });

  test('change together, never key and certificate apart', async () => {
    const secrets = await opened();
    await putKey(newer);
    await expect(secrets.refresh()).rejects.toThrow('another key');
    expect(secrets.merchant().serialNo).toBe('7AAA');
    await putCertificate(newer, '7BBB');
    await secrets.refresh();
    const keyOf = (serial: string) => (serial === '7BBB' ? newer.publicKey : undefined);
    expect(verifyRequest(signed(secrets), request, keyOf, Date.now())).toMatchObject({ ok: true });
    secrets.stop();
  });

  test('are kept when a file is gone or cut off', async () => {
    const secrets = await opened();
    await put('apiv3.txt', firstKey.slice(0, 20));
    await expect(secrets.refresh()).rejects.toThrow('32 bytes');
    await put('apiv3.txt', '');
    await expect(secrets.refresh()).rejects.toThrow('no APIv3 key');
    expect(secrets.apiV3Keys().map(String)).toEqual([firstKey]);
    secrets.stop();
  });

  test('hold both APIv3 keys while one takes over from the other', async () => {
    const secrets = await opened();
    await put('apiv3.txt', `${secondKey}\n${firstKey}\n`);
    await secrets.refresh();
    expect(secrets.apiV3Keys().map(String)).toEqual([secondKey, firstKey]);
    secrets.stop();
  });

  test('may come from the environment', async () => {
    await putKey(older);
    const given = { ...sources(), serial: { number: 'AB' }, apiV3Key: { value: firstKey } };
    const secrets = await openSecrets(given, () => undefined);
    expect(secrets.merchant().serialNo).toBe('AB');
    secrets.stop();
  });
});
