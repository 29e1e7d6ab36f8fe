import { fileURLToPath } from 'node:url';
import { connect } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { testClock, wallClock } from '@yunshi/kernel/clock';
import { testDatabase } from '@yunshi/testing/database';
import { fastify } from 'fastify';
import { Client } from 'tencentcloud-sdk-nodejs-cvm/tencentcloud/services/cvm/v20170312/cvm_client.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloudSandbox } from './plugin.ts';

/** The played cloud, called by Tencent Cloud's own SDK over HTTP. */

const database = await testDatabase('sandbox');
const sql = connect({ url: database.url, name: 'cloud', connectionsMax: 4 });
const app = fastify();
const clock = testClock(0, wallClock);
const credential = { secretId: 'AKIDtest', secretKey: 'the-key-of-the-test' };
let url = '';

beforeAll(async () => {
  await migrate(database.url, [{ name: 'cloud', path: fileURLToPath(new URL('../../migrations/cloud', import.meta.url)) }]);
  await app.register(cloudSandbox, { sql, clock, wall: wallClock, credential });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app.close();
  await sql.end();
});

/** The SDK derives the service of the signature from the host that it is given. */
function client(change: Partial<typeof credential> = {}, host = new URL(url).host, region = 'ap-guangzhou') {
  const profile = { httpProfile: { endpoint: host, protocol: 'http://', reqTimeout: 5 } };
  return new Client({ credential: { ...credential, ...change }, region, profile });
}
const zonesOf = async (of: ReturnType<typeof client>) => (await of.DescribeZones()).TotalCount;
const codeOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'answered',
    (error: { code?: string }) => (error.code ? error.code : 'no answer'),
  );
const arm = (what: string, times = 1) =>
  fetch(`${url}/sandbox/cloud/next`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ what, times }),
  });

const product = 'prd_01930e6c7b1a7c3e9f0a1b2c3d4e5f60';
const imagesOf = async (of = client()) =>
  (await of.DescribeImages({ Filters: [{ Name: 'tag:yunshi-product', Values: [product] }] })).ImageSet!.map(({ ImageId }) => ImageId!);
async function wanted(token: string, change: object = {}) {
  const [ImageId] = await imagesOf();
  const { SecurityGroupSet } = (await client().request('DescribeSecurityGroups', {})) as {
    SecurityGroupSet: { SecurityGroupId: string }[];
  };
  return {
    InstanceChargeType: 'PREPAID',
    InstanceChargePrepaid: { Period: 1, RenewFlag: 'NOTIFY_AND_MANUAL_RENEW' },
    Placement: { Zone: 'ap-guangzhou-6' },
    InstanceType: 'S5.MEDIUM4',
    ImageId: ImageId!,
    SystemDisk: { DiskType: 'CLOUD_BSSD', DiskSize: 50 },
    InternetAccessible: { InternetChargeType: 'BANDWIDTH_PREPAID', InternetMaxBandwidthOut: 5, PublicIpAssigned: true },
    InstanceCount: 1,
    InstanceName: token,
    LoginSettings: { Password: 'aA1-aA1-aA1' },
    SecurityGroupIds: [SecurityGroupSet[0]!.SecurityGroupId],
    ClientToken: token,
    TagSpecification: [{ ResourceType: 'instance', Tags: [{ Key: 'yunshi-instance', Value: token }] }],
    ...change,
  };
}
const found = async (token: string) =>
  (await client().DescribeInstances({ Filters: [{ Name: 'tag:yunshi-instance', Values: [token] }] })).InstanceSet!;

describe('the signature', () => {
  test('is that of the SDK, under the name of whatever host it is pointed at', async () => {
    expect(await zonesOf(client())).toBe(3);
    const { port } = new URL(url);
    expect(await zonesOf(client({}, `localhost:${port}`))).toBe(3);
  });
  test('of another key, or of nobody known, is refused', async () => {
    expect(await codeOf(client({ secretKey: 'another-key-of-a-test' }).request('DescribeZones', {}))).toBe('AuthFailure.SignatureFailure');
    expect(await codeOf(client({ secretId: 'AKIDother' }).request('DescribeZones', {}))).toBe('AuthFailure.SecretIdNotFound');
  });
});

describe('a server', () => {
  test('is made once for each token, also when the answer is lost, and runs some minutes later', async () => {
    await arm('answer-lost');
    expect(await codeOf(client().RunInstances(await wanted('once')))).toBe('no answer');
    const { InstanceIdSet } = await client().RunInstances(await wanted('once'));
    expect(await found('once')).toMatchObject([{ InstanceId: InstanceIdSet![0], InstanceState: 'PENDING' }]);
    clock.moveTo(clock.offsetMs() + 5 * 60_000);
    const [server] = await found('once');
    expect(server).toMatchObject({ InstanceState: 'RUNNING', LatestOperationState: 'SUCCESS' });
    expect(server!.PublicIpAddresses).toHaveLength(1);
    expect(await codeOf(client().RunInstances(await wanted('once', { InstanceType: 'S5.SMALL2' })))).toBe('InvalidParameterCombination');
  });

  test.each([
    [
      'sold out by itself',
      { Placement: { Zone: 'ap-guangzhou-3' }, InstanceType: 'S5.2XLARGE16' },
      'ResourcesSoldOut.SpecifiedInstanceType',
    ],
    ['in a zone of another region', { Placement: { Zone: 'ap-beijing-6' } }, 'InvalidZone.MismatchRegion'],
    ['of an image that is not there', { ImageId: 'img-00000000' }, 'InvalidImageId.NotFound'],
    ['with a disk that is too small', { SystemDisk: { DiskType: 'CLOUD_BSSD', DiskSize: 10 } }, 'InvalidParameterValue.Range'],
    ['for 13 months', { InstanceChargePrepaid: { Period: 13 } }, 'InvalidPeriod'],
    ['behind a group that is not there', { SecurityGroupIds: ['sg-00000000'] }, 'InvalidSecurityGroupId.NotFound'],
    ['paid by traffic', { InternetAccessible: { InternetChargeType: 'TRAFFIC_POSTPAID_BY_HOUR' } }, 'InvalidParameter'],
  ])('%s is not made', async (name, change, code) => {
    expect(await codeOf(client().RunInstances(await wanted(`not ${name}`, change)))).toBe(code);
    expect(await found(`not ${name}`)).toEqual([]);
  });

  test.each([
    ['sold-out', 'ResourcesSoldOut.SpecifiedInstanceType'],
    ['quota', 'LimitExceeded.PrepayQuota'],
    ['call-fails', 'InternalError'],
    ['call-throttled', 'RequestLimitExceeded'],
  ])('is refused once when %s is armed', async (what, code) => {
    await arm(what);
    expect(await codeOf(client().RunInstances(await wanted(what)))).toBe(code);
    expect(await codeOf(client().RunInstances(await wanted(what)))).toBe('answered');
  });

  test('costs what is asked for, less for who takes it for a year', async () => {
    const asked = await wanted('price');
    const { Price } = await client().InquiryPriceRunInstances(asked);
    expect(Price).toMatchObject({ InstancePrice: { DiscountPrice: 155 }, BandwidthPrice: { DiscountPrice: 115 } });
    const year = await client().InquiryPriceRunInstances({ ...asked, InstanceChargePrepaid: { Period: 12 } });
    expect(year.Price!.InstancePrice).toMatchObject({ OriginalPrice: 1_860, DiscountPrice: 1_543.8, Discount: 83 });
  });

  test('shows itself on the desk, where the calls are shown without passwords', async () => {
    const page = await (await fetch(`${url}/sandbox/cloud/`)).text();
    expect(page).toContain('once');
    expect(page).not.toContain('&quot;Password&quot;:&quot;aA1');
    const { items } = (await (await fetch(`${url}/sandbox/cloud/servers`)).json()) as { items: { name: string; state: string }[] };
    expect(items.find(({ name }) => name === 'once')).toMatchObject({ state: 'RUNNING' });
  });
});
