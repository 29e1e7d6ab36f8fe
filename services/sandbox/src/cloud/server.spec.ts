import fc from 'fast-check';
import { addDays, addMonths } from '@yunshi/kernel/calendar';
import { describe, expect, test } from 'vitest';
import { isWorking, makingMs, operate, renew, stateOf, terminate, type Operation } from './server.ts';
import type { CloudServer } from './tables.ts';

const noon = new Date('2026-03-02T04:00:00Z');
const later = (ms: number): Date => new Date(noon.getTime() + ms);
const ready = makingMs('ins-a1b2c3d4');

const made = (change: Partial<CloudServer> = {}): CloudServer => ({
  serverId: 'ins-a1b2c3d4',
  clientToken: 'ins_1',
  asked: '{}',
  name: 'ins_1',
  region: 'ap-guangzhou',
  zone: 'ap-guangzhou-6',
  machineType: 'S5.MEDIUM4',
  imageId: 'img-1',
  systemDisk: { type: 'CLOUD_BSSD', sizeGb: 50 },
  dataDisks: [],
  bandwidthMbps: 5,
  securityGroupIds: ['sg-1'],
  tags: [],
  hostName: 'ins_1',
  password: 'secret',
  userData: null,
  privateIp: '10.0.0.1',
  publicIp: null,
  createdAt: noon,
  readyAt: later(ready),
  launch: 'works',
  power: 'on',
  operation: 'RunInstances',
  operationEndsAt: later(ready),
  expiresAt: addMonths(noon, 1),
  returnedAt: null,
  destroyedAt: null,
  paid: 10_000,
  ...change,
});
const must = (done: ReturnType<typeof operate>): CloudServer => {
  if (!done.ok) throw new Error(done.error);
  return done.value;
};

describe('a played server', () => {
  test('is made in three to five minutes, and then it runs, or does not', () => {
    fc.assert(fc.property(fc.string(), (id) => makingMs(id) >= 180_000 && makingMs(id) <= 300_000));
    expect([stateOf(made(), later(ready - 1)), stateOf(made(), later(ready))]).toEqual(['PENDING', 'RUNNING']);
    expect(stateOf(made({ launch: 'fails' }), later(ready))).toBe('LAUNCH_FAILED');
  });

  test('is stopped, started and installed anew, each in its time and from the states that allow it', () => {
    const running = later(ready);
    const stopping = must(operate(made(), 'StopInstances', running));
    expect([stateOf(stopping, running), isWorking(stopping, running)]).toEqual(['STOPPING', true]);
    const stopped = later(ready + 20_000);
    expect([stateOf(stopping, stopped), isWorking(stopping, stopped)]).toEqual(['STOPPED', false]);
    expect(operate(stopping, 'StopInstances', stopped)).toMatchObject({ error: 'UnsupportedOperation.InstanceStateStopped' });
    const anew = must(operate(stopping, 'ResetInstance', stopped, { imageId: 'img-2', hostName: 'anew' }));
    expect(anew).toMatchObject({ imageId: 'img-2', hostName: 'anew' });
    expect([stateOf(anew, stopped), stateOf(anew, later(ready + 80_000))]).toEqual(['REBOOTING', 'RUNNING']);
    expect(operate(made(), 'StartInstances', noon)).toMatchObject({ error: 'UnsupportedOperation.InstanceStatePending' });
  });

  test('goes into the recycle bin when its time is over, and is gone a week later', () => {
    const { expiresAt } = made();
    const states = [0, 7].map((days) => stateOf(made(), addDays(expiresAt, days)));
    expect(states).toEqual(['SHUTDOWN', 'TERMINATED']);
    expect(renew(made(), 1, 10_000, expiresAt)).toMatchObject({ error: 'UnsupportedOperation.InstanceStateShutdown' });
    const renewed = must(renew(made(), 1, 10_000, later(ready)));
    expect([renewed.expiresAt, renewed.paid]).toEqual([addMonths(noon, 2), 20_000]);
  });

  test('is given back in two steps; what never came up in one, and what is still being made not at all', () => {
    const running = later(ready);
    const returned = must(terminate(made(), running));
    expect(stateOf(returned, running)).toBe('SHUTDOWN');
    expect(stateOf(must(terminate(returned, running)), running)).toBe('TERMINATED');
    expect(stateOf(must(terminate(made({ launch: 'fails' }), running)), running)).toBe('TERMINATED');
    expect(terminate(made(), noon)).toMatchObject({ error: 'UnsupportedOperation.InstanceStatePending' });
  });

  test('whatever is done to it, it comes back to rest, and never back from where it is gone', () => {
    const acts = fc.constantFrom<Operation | 'terminate' | 'renew'>(
      'StartInstances',
      'StopInstances',
      'ResetInstance',
      'terminate',
      'renew',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(acts, fc.integer({ min: 0, max: 40 * 86_400_000 })), { maxLength: 20 }), (story) => {
        let [server, now, gone] = [made(), noon, false];
        for (const [act, waits] of story) {
          now = new Date(now.getTime() + waits);
          gone ||= stateOf(server, now) === 'TERMINATED';
          const done =
            act === 'terminate' ? terminate(server, now) : act === 'renew' ? renew(server, 1, 1, now) : operate(server, act, now);
          if (done.ok) server = done.value;
          expect(stateOf(server, now) === 'TERMINATED').toBe(gone || (done.ok && server.destroyedAt !== null));
        }
        expect(['RUNNING', 'STOPPED', 'SHUTDOWN', 'TERMINATED']).toContain(stateOf(server, new Date(now.getTime() + 600_000)));
      }),
    );
  });
});
