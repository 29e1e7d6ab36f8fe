import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServerConfiguration } from '@yunshi/kernel/server';
import { check, refusedByCloud, type Offers } from './offers.ts';
import { drawPassword } from './password.ts';

const machine = { zone: 'z-1', family: 'S5', cpu: 2, memoryGb: 4, price: 13_000 };
const offers: Offers = {
  region: 'r',
  zones: [{ id: 'z-1', name: '一区' }],
  machines: [
    { ...machine, type: 'S5.MEDIUM4', isSoldOut: false },
    { ...machine, type: 'S5.LARGE8', isSoldOut: true },
  ],
  images: [{ id: 'img-1', name: 'Linux' }],
  securityGroups: [{ id: 'sg-1', name: '放通22端口' }],
};
const wanted: ServerConfiguration = {
  region: 'r',
  zone: 'z-1',
  machineType: 'S5.MEDIUM4',
  imageId: 'img-1',
  systemDisk: { type: 'CLOUD_BSSD', sizeGb: 50 },
  dataDisks: [{ type: 'CLOUD_SSD', sizeGb: 100 }],
  bandwidth: { billing: 'by_bandwidth', mbps: 5 },
  securityGroupId: 'sg-1',
  login: { method: 'password' },
};

describe('a configuration', () => {
  test('of offered choices is taken', () => expect(check(wanted, 12, offers).ok).toBe(true));

  test.each<[Partial<ServerConfiguration>, object]>([
    [{ zone: 'z-9' }, { field: 'zone', reason: 'not-offered', offered: ['z-1'] }],
    [{ machineType: 'S9' }, { field: 'machine_type', reason: 'not-offered', offered: ['S5.MEDIUM4'] }],
    [{ machineType: 'S5.LARGE8' }, { field: 'machine_type', reason: 'sold-out', offered: ['S5.MEDIUM4'] }],
    [{ imageId: 'img-of-another-product' }, { field: 'image_id', offered: ['img-1'] }],
    [{ systemDisk: { type: 'CLOUD_BSSD', sizeGb: 10 } }, { field: 'system_disk' }],
    [{ dataDisks: [{ type: 'CLOUD_SSD', sizeGb: 25 }] }, { field: 'data_disks' }],
    [{ bandwidth: { billing: 'by_traffic', mbps: 5 } }, { field: 'bandwidth/billing', reason: 'paid-after-use' }],
    [{ bandwidth: { billing: 'by_bandwidth', mbps: 101 } }, { field: 'bandwidth/mbps' }],
    [{ securityGroupId: 'sg-9' }, { field: 'security_group_id', offered: ['sg-1'] }],
  ])('with %j is refused by naming the field', (change, error) => {
    expect(check({ ...wanted, ...change }, 12, offers)).toMatchObject({ ok: false, error });
  });

  test('for a time that the cloud does not rent for is refused', () => {
    expect(check(wanted, 13, offers)).toMatchObject({ ok: false, error: { field: 'duration' } });
  });

  test('that the cloud itself refuses is refused by the field that its code tells; other codes tell nothing of the wish', () => {
    expect(refusedByCloud('ResourcesSoldOut.SpecifiedInstanceType')).toMatchObject({ field: 'machine_type', reason: 'sold-out' });
    expect(refusedByCloud('InvalidImageId.NotFound')).toMatchObject({ field: 'image_id' });
    expect(refusedByCloud('LimitExceeded.PrepayQuota')).toBeUndefined();
  });
});

test('a password has letters of both cases, digits and signs, begins with a letter, and follows from what was drawn', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), (draws) => {
      const password = drawPassword((max) => Math.floor(draws.next().value! * max));
      for (const shape of [/^[a-z]/, /[A-Z]/, /[0-9]/, /[-_+=.]/, /^.{20}$/]) expect(password).toMatch(shape);
    }),
  );
});
