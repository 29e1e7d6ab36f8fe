import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTerminal, reachable } from '@yunshi/kernel/flow';
import { newId } from '@yunshi/kernel/ids';
import type { ServerConfiguration } from '@yunshi/kernel/server';
import type { CloudOutcome, CloudRequest, SeenServer } from '../cloud/calls.ts';
import { serverPolicy } from '../cloud/policy.ts';
import { begin, type Asker, type Step } from '../instance/instance.ts';
import { heardOfCloud } from './heard.ts';
import { heardOfOperation, isHosted, operate, operationKinds, serverFlow, type Hosted, type OperationOutcome } from './server.ts';

const noon = new Date('2026-02-01T12:00:00+08:00');
const later = (ms: number): Date => new Date(noon.getTime() + ms);
const asker: Asker = { sagaId: 'sag_1', step: 'fulfil', direction: 'do', replyTo: 'order' };
const configuration: ServerConfiguration = {
  region: 'ap-guangzhou',
  zone: 'ap-guangzhou-6',
  machineType: 'S5.MEDIUM4',
  imageId: 'img-1',
  systemDisk: { type: 'CLOUD_BSSD', sizeGb: 50 },
  dataDisks: [],
  bandwidth: { billing: 'by_bandwidth', mbps: 5 },
  securityGroupId: 'sg-1',
  login: { method: 'password' },
};
const seen = (changes: Partial<SeenServer> = {}): SeenServer => ({
  serverId: 'ins-1',
  state: 'running',
  imageId: 'img-1',
  privateIp: '10.0.0.1',
  publicIp: '203.0.113.1',
  expiresAt: '2026-03-01T12:00:00+08:00',
  ...changes,
});

function hosted({ instance }: Step): Hosted {
  if (!isHosted(instance)) throw new Error('an image without a server');
  return instance;
}
const paid = (): Hosted =>
  hosted(
    begin(
      {
        orderId: newId('ord', noon),
        orderNumber: '1',
        accountId: newId('acc', noon),
        userId: newId('usr', noon),
        kind: 'new_purchase',
        productName: '镜像',
        skuName: '标准版',
        isTrial: false,
        humanDelivery: false,
        line: {
          skuId: newId('sku', noon),
          productId: newId('prd', noon),
          providerId: newId('prv', noon),
          deliveryType: 'image',
          quantity: 1,
          period: { count: 1, unit: 'month' },
          unitPrice: 9_900,
          amount: 9_900,
        },
        server: configuration,
      },
      asker,
      noon,
    ),
  );
const request = (instance: Hosted): CloudRequest => ({
  task: instance.task ?? 'create',
  seq: instance.callSeq,
  instanceId: instance.instanceId,
  configuration,
  months: 1,
});
const hear = (instance: Hosted, outcome: CloudOutcome, now = noon, attempt = 1): Step =>
  heardOfCloud(instance, request(instance), { outcome, attempt }, now);
const running = (): Hosted => hosted(hear(paid(), { kind: 'ready', seen: seen(), access: 'sealed' }, later(240_000)));

test('every state of a server can be reached, and nothing leads back from its release', () => {
  expect(reachable(serverFlow, 'making')).toEqual(new Set(serverFlow.states));
  expect(serverFlow.states.filter((state) => isTerminal(serverFlow, state))).toEqual(['released']);
});

describe('the making of a server', () => {
  test('brings its id as soon as it is ordered, its addresses once they are seen, and its time with it', () => {
    const ordered = hosted(hear(paid(), { kind: 'pending', serverId: 'ins-1' }));
    expect(ordered).toMatchObject({ status: 'shipping', signId: 'ins-1', server: { state: 'making', publicIp: null } });
    expect(running()).toMatchObject({
      status: 'shipped',
      expiresAt: new Date('2026-03-01T12:00:00+08:00'),
      server: { state: 'running', publicIp: '203.0.113.1', privateIp: '10.0.0.1' },
    });
  });

  test('that is refused ends the order at once; where nothing can be there, nothing is looked for', () => {
    const step = hear(paid(), { kind: 'refused', code: 'ResourcesSoldOut', message: '' });
    expect(step).toMatchObject({ answer: { refused: 'server-not-made' }, instance: { status: 'failed', server: { state: 'released' } } });
    expect(step.call).toBeUndefined();
  });

  test('that is refused after an attempt of which nothing is known has what may be there looked for, and released', () => {
    const step = hear(paid(), { kind: 'refused', code: 'ResourcesSoldOut', message: '' }, noon, 2);
    expect(step).toMatchObject({ answer: { refused: 'server-not-made' }, call: { task: 'destroy' } });
    const early = hear(hosted(step), { kind: 'absent' }, later(60_000));
    expect(early).toMatchObject({ call: { task: 'destroy' } });
    expect(hear(hosted(early), { kind: 'absent' }, later(serverPolicy.lookForMs)).instance).toMatchObject({
      task: null,
      server: { state: 'released' },
    });
  });

  test('that takes longer than the cloud promises is given up, and what comes after all is released', () => {
    const slow = hosted(hear(paid(), { kind: 'pending', serverId: 'ins-1' }));
    const given = hear(slow, { kind: 'pending' }, later(serverPolicy.makingMsMax));
    expect(given).toMatchObject({ answer: { refused: 'server-not-made' }, call: { task: 'destroy' } });
  });
});

describe('its buyer', () => {
  const operated = (kind: (typeof operationKinds)[number], instance = running()): Hosted => {
    const result = operate(instance, { kind }, noon);
    if (!result.ok) throw new Error(result.error);
    return result.value;
  };

  test('stops it, starts it and installs it anew, one at a time', () => {
    const stopping = operated('stop');
    expect(stopping.server).toMatchObject({ state: 'stopping', operation: { kind: 'stop', seq: 1 } });
    expect(operate(stopping, { kind: 'start' }, noon)).toEqual({ ok: false, error: 'server-busy' });
    const { instance: stopped } = heardOfOperation(stopping, 1, { kind: 'done', seen: seen({ state: 'stopped' }) }, noon);
    expect(stopped.server).toMatchObject({ state: 'stopped', operation: null });
    expect(operate(stopped, { kind: 'stop' }, noon)).toEqual({ ok: false, error: 'server-not-in-state' });
    expect(operated('start', stopped).server.state).toBe('starting');
    const anew = heardOfOperation(
      operated('reinstall', stopped),
      2,
      { kind: 'done', seen: seen({ imageId: 'img-2' }), access: 'new' },
      noon,
    );
    expect(anew.instance).toMatchObject({ access: 'new', server: { state: 'running', imageId: 'img-2' } });
  });

  test.each([
    ['is still made', paid()],
    ['has expired', { ...running(), status: 'expired' as const }],
    ['is suspended', { ...running(), suspendedAt: noon }],
  ])('touches none that %s', (_, instance) => {
    expect(operate(instance, { kind: 'stop' }, noon)).toEqual({ ok: false, error: 'server-not-usable' });
  });

  test('sees it where it was when an operation comes to nothing', () => {
    const given = heardOfOperation(operated('stop'), 1, { kind: 'failed' }, later(serverPolicy.operatingMsMax));
    expect(given.instance.server).toMatchObject({ state: 'running', operation: null });
    expect(given.again).toBeUndefined();
  });

  test('is never left with an operation that has no end, whatever the cloud answers', () => {
    const state = fc.constantFrom('pending', 'running', 'stopped', 'changing', 'failed', 'returned' as const);
    const observed = state.map((shown) => seen({ state: shown }));
    const atRest = fc.constantFrom('running', 'stopped' as const).map((shown) => seen({ state: shown }));
    const outcome: fc.Arbitrary<OperationOutcome> = fc.oneof(
      fc.record({ kind: fc.constant('done' as const), seen: atRest }),
      fc.record({ kind: fc.constantFrom('pending', 'failed' as const) }),
      fc.record({ kind: fc.constant('refused' as const), seen: fc.option(observed, { nil: undefined }) }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...operationKinds), fc.array(outcome), (kind, outcomes) => {
        const start = kind === 'start' ? { ...running(), server: { ...running().server, state: 'stopped' as const } } : running();
        let instance = operated(kind, start);
        let now = noon;
        for (const one of [...outcomes, ...Array.from({ length: 400 }, () => ({ kind: 'pending' as const }))]) {
          const heard = heardOfOperation(instance, 1, one, now);
          ({ instance } = heard);
          expect(instance.server.operation === null).toBe(heard.again === undefined);
          if (heard.again === undefined) break;
          now = heard.again;
        }
        expect(instance.server.operation).toBeNull();
        expect(['running', 'stopped']).toContain(instance.server.state);
      }),
    );
  });
});
