import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  convertInstance,
  createInstance,
  destroyInstance,
  expireInstance,
  flowQuery,
  flowSetting,
  renewInstance,
  respecInstance,
  SaasRequest,
  verifyInterface,
  wireTime,
} from './actions.ts';
import type { Subject, Terms } from './actions.ts';

const subject: Subject = {
  accountId: '123545678',
  requestId: '6a02a01f-d420-43d9-be38-fd8eed6bb53a',
  productId: 1024,
  resourceId: 'market-78123as',
};
const terms: Terms = { productName: '云市场测试商品', trial: false, spec: '普通版', span: 2, unit: 'm', quantity: 1 };
const expires = new Date('2026-03-01T12:34:56+08:00');
const signId = '36441d902ba';
const orderId = '20260201199524';

describe('the bodies on the wire', () => {
  test('verifyInterface', () => {
    expect(JSON.stringify(verifyInterface(subject.requestId, 'tea and biscuits'))).toBe(
      '{"action":"verifyInterface","requestId":"6a02a01f-d420-43d9-be38-fd8eed6bb53a","echoback":"tea and biscuits"}',
    );
  });

  test('createInstance sends isTrial as a string', () => {
    expect(JSON.stringify(createInstance(subject, { orderId, terms }))).toBe(
      '{"action":"createInstance","orderId":"20260201199524","accountId":"123545678","openId":"","requestId":"6a02a01f-d420-43d9-be38-fd8eed6bb53a",' +
        '"productId":1024,"resourceId":"market-78123as","productInfo":{"productName":"云市场测试商品","isTrial":"false","spec":"普通版","timeSpan":2,"timeUnit":"m","cycleNum":1}}',
    );
  });

  test('createInstance of a trial leaves spec and duration empty', () => {
    const body = createInstance(subject, { orderId, terms: { ...terms, trial: true } });
    expect(body).toMatchObject({ productInfo: { isTrial: 'true', spec: '', timeSpan: '', timeUnit: '' } });
  });

  test('createInstance of a metered product names the amount flowSpan and the unit flowUnit', () => {
    const body = createInstance(subject, { orderId, terms: { ...terms, flow: { span: '2000', unit: 'Mb' } } });
    expect(body).toMatchObject({ productInfo: { flowSpan: '2000', flowUnit: 'Mb' } });
  });

  test('createInstance carries the comment and what the buyer filled in', () => {
    const contact = { name: '李雷', projectype: 'erp' };
    const body = createInstance({ ...subject, openId: 'xz_D4XL_u7hKY5zt' }, { orderId, terms, comment: '请尽快', contact });
    expect(body).toMatchObject({ openId: 'xz_D4XL_u7hKY5zt', extendInfo: { comment: '请尽快' }, userCollectionInfo: contact });
  });

  test('renewInstance says the new expiry in China time, and nothing of a trial or a quantity', () => {
    expect(JSON.stringify(renewInstance(subject, { orderId, signId, expires, terms }))).toBe(
      '{"action":"renewInstance","orderId":"20260201199524","accountId":"123545678","openId":"","requestId":"6a02a01f-d420-43d9-be38-fd8eed6bb53a",' +
        '"productId":1024,"resourceId":"market-78123as","signId":"36441d902ba","instanceExpireTime":"2026-03-01 12:34:56",' +
        '"productInfo":{"productName":"云市场测试商品","spec":"普通版","timeSpan":2,"timeUnit":"m"}}',
    );
  });

  test('a conversion says spec and duration twice, the same', () => {
    const body = convertInstance(subject, { orderId, signId, expires, terms });
    expect(body).toMatchObject({
      action: 'modifyInstance',
      spec: '普通版',
      timeSpan: 2,
      timeUnit: 'm',
      instanceExpireTime: '2026-03-01 12:34:56',
      productInfo: { spec: '普通版', timeSpan: 2, timeUnit: 'm' },
    });
  });

  test('a change of spec carries only the new spec', () => {
    const body = respecInstance(subject, { orderId, signId, spec: '高级版' });
    expect(Object.keys(body)).toEqual([
      'action',
      'orderId',
      'accountId',
      'openId',
      'requestId',
      'productId',
      'resourceId',
      'signId',
      'spec',
    ]);
  });

  test('expireInstance names no order, destroyInstance does', () => {
    expect(expireInstance(subject, signId)).not.toHaveProperty('orderId');
    expect(destroyInstance(subject, { orderId, signId })).toMatchObject({ action: 'destroyInstance', orderId, signId });
  });

  test('flowSetting names no product, flowQuery does', () => {
    expect(flowQuery(subject, signId)).toMatchObject({ action: 'flowQuery', productId: 1024 });
    const body = flowSetting(subject, { signId, warnSpan: '1200', warnUnit: 'Mb', on: true });
    expect(body).toMatchObject({ warnSpan: '1200', warnUnit: 'Mb', switch: 'ON' });
    expect(body).not.toHaveProperty('productId');
  });

  const all = [
    verifyInterface('r', 'e'),
    createInstance(subject, { orderId, terms: { ...terms, flow: { span: '1', unit: 'h' } }, comment: 'c', contact: { name: 'n' } }),
    renewInstance(subject, { orderId, signId, expires, terms }),
    convertInstance(subject, { orderId, signId, expires, terms }),
    respecInstance(subject, { orderId, signId, spec: 's' }),
    expireInstance(subject, signId),
    destroyInstance(subject, { orderId, signId }),
    flowQuery(subject, signId),
    flowSetting(subject, { signId, warnSpan: '1', warnUnit: 'h', on: false }),
  ];

  test.each(all)('$action is readable by the other side, unchanged', (body) => {
    expect(SaasRequest.parse(JSON.parse(JSON.stringify(body)))).toEqual(body);
  });

  test.each(all)('$action uses no key that the query string uses, and none with a space', (body) => {
    for (const key of keysOf(body)) {
      expect(['signature', 'timestamp', 'eventId']).not.toContain(key);
      expect(key).toBe(key.trim());
    }
  });
});

test('a provider reads isTrial as a boolean too', () => {
  const body = {
    ...createInstance(subject, { orderId, terms }),
    productInfo: { productName: 'p', isTrial: true, spec: '', timeSpan: '', timeUnit: '' },
  };
  expect(SaasRequest.parse(body)).toMatchObject({ productInfo: { isTrial: 'true' } });
});

test('a time on the wire has the protocol’s form and is China’s, whatever the instant', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('1992-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }), (at) => {
      const text = wireTime(at);
      expect(text).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/);
      expect(new Date(`${text.replace(' ', 'T')}+08:00`).getTime()).toBe(Math.floor(at.getTime() / 1000) * 1000);
    }),
  );
});

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}
