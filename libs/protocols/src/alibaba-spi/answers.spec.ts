import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readConsent, readCreated } from './answers.ts';

describe('the answer to createInstance', () => {
  test('delivers website, single-sign-on address and everything else that a buyer needs', () => {
    const answer = readCreated(
      JSON.stringify({
        instanceId: 'ins_1',
        appInfo: { frontEndUrl: 'https://a.example/', authUrl: 'https://a.example/sso', username: 'admin', password: 'pw', licenseId: '' },
        hostInfo: { ip: '203.0.113.7', region: null },
        info: { licenseKey: 'K-1', seats: 5 },
      }),
    );
    expect(answer).toEqual({
      kind: 'delivered',
      instanceId: 'ins_1',
      website: 'https://a.example/',
      authUrl: 'https://a.example/sso',
      fields: [
        { name: '账号', value: 'admin' },
        { name: '初始密码', value: 'pw' },
        { name: '公网地址', value: '203.0.113.7' },
        { name: 'licenseKey', value: 'K-1' },
        { name: 'seats', value: '5' },
      ],
      warnings: [],
    });
  });

  test.each(['{"instanceId":"0"}', '{"instanceId":0}', '{"instanceId":"0","info":{"why":"building"}}'])('%s means: ask again', (text) => {
    expect(readCreated(text)).toEqual({ kind: 'pending' });
  });

  test.each(['', '<html>', '{}', '{"instanceId":""}', '{"instanceId":null}', '{"success":"false"}', '{"instanceId":"a","info":[1]}'])(
    '%s is unreadable',
    (text) => {
      expect(readCreated(text)).toMatchObject({ kind: 'unreadable' });
    },
  );

  test('never shows a link that is no web address, and says what it could not show', () => {
    const answer = readCreated('{"instanceId":"a","appInfo":{"authUrl":"javascript:alert(1)"},"info":{"deep":{"er":1}}}');
    expect(answer).toEqual({
      kind: 'delivered',
      instanceId: 'a',
      fields: [],
      warnings: ['appInfo.authUrl is not a web address', 'deep cannot be shown'],
    });
  });
});

test('consent is the string or the boolean', () => {
  for (const text of ['{"success":"true"}', '{"success":true}']) expect(readConsent(text)).toEqual({ kind: 'agreed' });
  for (const text of ['{"success":"false"}', '{"success":false}']) expect(readConsent(text)).toEqual({ kind: 'declined' });
  for (const text of ['{}', '{"success":1}', 'ok']) expect(readConsent(text)).toMatchObject({ kind: 'unreadable' });
});

test('no answer at all makes a reader throw', () => {
  const answers = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ instanceId: fc.jsonValue(), appInfo: fc.jsonValue(), info: fc.jsonValue() }).map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(answers, (text) => {
      for (const read of [readCreated, readConsent]) expect(read(text).kind).toBeTypeOf('string');
    }),
  );
});
