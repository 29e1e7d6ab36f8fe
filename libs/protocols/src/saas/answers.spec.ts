import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readConsent, readCreated, readEcho, readFlow } from './answers.ts';

describe('the answer to createInstance', () => {
  test('delivers account, website and single-sign-on address', () => {
    const answer = readCreated(
      '{"signId": "36441d902ba", "appInfo": {"website":"http://www.example.com", "authUrl": "http://www.example.com/oauth/login"},' +
        '"additionalInfo":[{"name":"账号","value":"demo"},{"name":"席位","value":5}]}',
    );
    expect(answer).toEqual({
      kind: 'delivered',
      signId: '36441d902ba',
      website: 'http://www.example.com',
      authUrl: 'http://www.example.com/oauth/login',
      additional: [
        { name: '账号', value: 'demo' },
        { name: '席位', value: '5' },
      ],
      warnings: [],
    });
  });

  test.each(['{"signId":"0"}', '{"signId":0}', '{"signId":"0","appInfo":null}'])('%s means: delivered later, ask again', (text) => {
    expect(readCreated(text)).toEqual({ kind: 'pending' });
  });

  test('keeps a signId longer than the protocol allows, and warns', () => {
    expect(readCreated('{"signId":"kjsadkjhdskjh3k"}')).toMatchObject({
      kind: 'delivered',
      signId: 'kjsadkjhdskjh3k',
      warnings: ['signId has 15 characters, the protocol allows 11'],
    });
  });

  test('reads a signId that lost its quotes', () => {
    expect(readCreated('{"signId":1024}')).toMatchObject({ kind: 'delivered', signId: '1024' });
  });

  test.each([
    ['nothing', ''],
    ['a page', '<html>502</html>'],
    ['JSON that is not an object', '"36441d902ba"'],
    ['no signId', '{"success":"true"}'],
    ['an empty signId', '{"signId":""}'],
    ['a blank signId', '{"signId":"  "}'],
    ['a null signId', '{"signId":null}'],
    ['an integer that JSON has rounded', '{"signId":90071992547409931}'],
    ['a signId nobody could store', JSON.stringify({ signId: 'x'.repeat(129) })],
    [
      'more additional fields than anyone can show',
      JSON.stringify({ signId: 'a', additionalInfo: Array(51).fill({ name: 'n', value: 'v' }) }),
    ],
  ])('with %s is unreadable', (_what, text) => {
    expect(readCreated(text)).toMatchObject({ kind: 'unreadable' });
  });

  test.each(['javascript:alert(1)', 'data:text/html,x', '//example.com/login', 'login'])('never shows %s as a link', (address) => {
    const answer = readCreated(JSON.stringify({ signId: 'a', appInfo: { authUrl: address, website: '' } }));
    expect(answer).toMatchObject({ kind: 'delivered', warnings: ['appInfo.authUrl is not a web address'] });
    expect(answer).not.toHaveProperty('authUrl');
    expect(answer).not.toHaveProperty('website');
  });

  test('may begin with a byte order mark', () => {
    expect(readCreated('\uFEFF{"signId":"a1"}')).toMatchObject({ kind: 'delivered', signId: 'a1' });
  });
});

describe('the answer to renew, modify, expire and destroy', () => {
  test.each(['{"success":"true"}', '{"success":true}', '{"success":"true","appInfo":null}'])('%s is consent', (text) => {
    expect(readConsent(text)).toEqual({ kind: 'agreed', warnings: [] });
  });

  test.each(['{"success":"false"}', '{"success":false}'])('%s declines', (text) => {
    expect(readConsent(text)).toEqual({ kind: 'declined' });
  });

  test('may bring a new single-sign-on address', () => {
    expect(readConsent('{"success":"true","appInfo":{"authUrl":"https://a.example/sso"}}')).toMatchObject({
      authUrl: 'https://a.example/sso',
    });
  });

  test('may say why it declines', () => {
    expect(readConsent('{"success":"false","info":"no such instance"}')).toEqual({ kind: 'declined', info: 'no such instance' });
  });

  test.each(['{}', '{"success":"yes"}', '{"success":1}', '', 'null'])('%s is unreadable', (text) => {
    expect(readConsent(text)).toMatchObject({ kind: 'unreadable' });
  });
});

describe('the answer to flowQuery', () => {
  test.each(['true', '"true"'])('with success %s is a measure', (success) => {
    expect(readFlow(`{"success":${success},"totalFlow":"2000","costFlow":"0","flowUnit":"Mb"}`)).toEqual({
      kind: 'measured',
      total: '2000',
      used: '0',
      unit: 'Mb',
    });
  });

  test('may decline without figures', () => {
    expect(readFlow('{"success":"false"}')).toEqual({ kind: 'declined' });
  });

  test.each([
    '{"success":true}',
    '{"success":true,"totalFlow":"1","costFlow":"1","flowUnit":"KB"}',
    '{"success":true,"totalFlow":"1","costFlow":"some","flowUnit":"Mb"}',
  ])('%s is unreadable', (text) => {
    expect(readFlow(text)).toMatchObject({ kind: 'unreadable' });
  });
});

test('verifyInterface passes only when the same words come back', () => {
  expect(readEcho('{"echoback":"tea"}', 'tea')).toEqual({ kind: 'echoed' });
  expect(readEcho('{"echoback":"coffee"}', 'tea')).toEqual({ kind: 'mismatch' });
  expect(readEcho('{}', 'tea')).toMatchObject({ kind: 'unreadable' });
});

test('no answer at all makes a reader throw', () => {
  const answers = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record({ signId: fc.anything(), success: fc.anything(), appInfo: fc.anything() }).map(toText),
  );
  fc.assert(
    fc.property(answers, (text) => {
      for (const read of [readCreated, readConsent, readFlow]) expect(read(text).kind).toBeTypeOf('string');
    }),
  );
});

function toText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}
