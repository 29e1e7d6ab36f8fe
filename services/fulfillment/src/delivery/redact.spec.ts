import { expect, test } from 'vitest';
import { redactAnswer } from './redact.ts';

test('the log keeps what a provider answered, without the buyer’s account, password and login link', () => {
  const answer = {
    signId: 's1',
    appInfo: { website: 'https://a.example/app', authUrl: 'https://a.example/sso?ticket=abc#x' },
    additionalInfo: [{ name: '初始密码', value: 'hunter2' }],
    initialPassword: 'hunter3',
  };
  expect(JSON.parse(redactAnswer(JSON.stringify(answer)))).toEqual({
    signId: 's1',
    appInfo: { website: 'https://a.example/app', authUrl: 'https://a.example/sso?***' },
    additionalInfo: [{ name: '初始密码', value: '***' }],
    initialPassword: '***',
  });
});

test('of the SPI’s answer, whose credentials have names of the provider’s own, only what is known to be harmless is kept', () => {
  const answer = {
    instanceId: 'ins_1',
    appInfo: { frontEndUrl: 'https://a.example/', adminUrl: 'https://a.example/admin?key=1', username: 'admin', licenseId: 'L-1' },
    hostInfo: { ip: '203.0.113.7', databaseInfo: 'mysql://root:pw@db' },
    info: { licenseKey: 'K-1', deep: { er: 'x' } },
  };
  expect(JSON.parse(redactAnswer(JSON.stringify(answer)))).toEqual({
    instanceId: 'ins_1',
    appInfo: { frontEndUrl: 'https://a.example/', adminUrl: 'https://a.example/admin?***', username: '***', licenseId: '***' },
    hostInfo: { ip: '203.0.113.7', databaseInfo: '***' },
    info: { licenseKey: '***', deep: { er: '***' } },
  });
});

test.each([
  '{"signId":"0"}',
  '{"success":"false","info":"no such instance"}',
  '{"success":"true"}',
  '{"error":"out of stock"}',
  '{"appInfo":null,"additionalInfo":[]}',
])('%s is kept as it is', (text) => {
  expect(redactAnswer(text)).toBe(text);
});

test('what is not JSON is kept for whoever has to find out why', () => {
  expect(redactAnswer('<html>502</html>')).toBe('<html>502</html>');
});
