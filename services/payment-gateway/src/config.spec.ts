import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { readConfig } from './config.ts';

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://x',
  NATS_URL: 'nats://x',
  AUTH_ISSUER: 'https://issuer.example.com',
  AUTH_JWKS_URL: 'https://issuer.example.com/jwks',
  AUTH_AUDIENCE: 'yunshi',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  WECHAT_MCHID: '1900000001',
  WECHAT_APPID: 'wxd678efh567hg6787',
  WECHAT_MERCHANT_SERIAL: '5157F09EFDC096DE15EBE81A47057A7232F1B8E1',
  WECHAT_MERCHANT_PRIVATE_KEY_FILE: '/run/secrets/merchant_key.pem',
  WECHAT_APIV3_KEY: '0123456789abcdef0123456789ABCDEF',
  WECHAT_PUBLIC_KEY_ID: 'PUB_KEY_ID_0119000000012026',
  WECHAT_PUBLIC_KEY_FILE: '/run/secrets/pub_key.pem',
  WECHAT_NOTIFY_BASE_URL: 'https://pay.example.com',
};
const sandbox = {
  ...production,
  NODE_ENV: 'development',
  WECHAT_BASE_URL: 'http://127.0.0.1:8106/',
  WECHAT_NOTIFY_BASE_URL: 'http://127.0.0.1:8103',
};

test('the real service needs no addresses: it is the default, with its backup', () => {
  expect(readConfig(production).wechat.hosts).toEqual(['https://api.mch.weixin.qq.com', 'https://api2.mch.weixin.qq.com']);
});

test('the sandbox is only other values of the same names', () => {
  expect(readConfig(sandbox).wechat).toMatchObject({ hosts: ['http://127.0.0.1:8106'], notifyBaseUrl: 'http://127.0.0.1:8103' });
});

const unionpay = {
  UNIONPAY_CERTIFICATE_FILE: '/run/secrets/unionpay_cert.pem',
  UNIONPAY_PRIVATE_KEY_FILE: '/run/secrets/unionpay_key.pem',
  UNIONPAY_ROOT_FILE: '/run/secrets/root.pem',
  UNIONPAY_MIDDLE_FILE: '/run/secrets/middle.pem',
  UNIONPAY_NOTIFY_BASE_URL: 'https://pay.example.com',
  UNIONPAY_PAGE_BASE_URL: 'https://api.example.com/',
};

test('UnionPay is in service when it has a certificate, and then believes UnionPay alone', () => {
  expect(readConfig(production).unionpay).toBeUndefined();
  expect(readConfig({ ...production, ...unionpay }).unionpay).toMatchObject({
    keys: { signer: '中国银联股份有限公司' },
    us: { baseUrl: 'https://gateway.95516.com', frontBaseUrl: 'https://gateway.95516.com', pageBaseUrl: 'https://api.example.com' },
    fileUrl: 'https://filedownload.95516.com/',
  });
});

describe('it does not start', () => {
  test.each([
    ['with http callbacks in production', { ...production, WECHAT_NOTIFY_BASE_URL: 'http://pay.example.com' }],
    ['with http callbacks for the real service', { ...production, NODE_ENV: 'development', WECHAT_NOTIFY_BASE_URL: 'http://127.0.0.1:1' }],
    ['with a payment service over http in production', { ...production, WECHAT_BASE_URL: 'http://127.0.0.1:8106' }],
    ['with a page that plays the payer in production', { ...production, WECHAT_PAY_PAGE_URL: 'https://pay.example.com/pay' }],
    ['with the test clock in production', { ...production, TEST_CLOCK: 'on' }],
    ['with an APIv3 key of another length', { ...production, WECHAT_APIV3_KEY: 'short' }],
    ['with an APIv3 key twice', { ...production, WECHAT_APIV3_KEY_FILE: '/run/secrets/apiv3_key' }],
    ['with neither number nor file of the merchant’s certificate', { ...production, WECHAT_MERCHANT_SERIAL: undefined }],
    ['with half a public key', { ...production, WECHAT_PUBLIC_KEY_FILE: undefined }],
    ['with no way to verify what WeChat Pay signs', { ...production, WECHAT_PUBLIC_KEY_ID: undefined, WECHAT_PUBLIC_KEY_FILE: undefined }],
    ['with a certificate at UnionPay and no root', { ...production, ...unionpay, UNIONPAY_ROOT_FILE: undefined }],
    ['believing UnionPay’s test system in production', { ...production, ...unionpay, UNIONPAY_SIGNER: '00040000:SIGN' }],
    ['with UnionPay over http in production', { ...production, ...unionpay, UNIONPAY_BASE_URL: 'http://127.0.0.1:8106' }],
    ['with UnionPay’s files over http in production', { ...production, ...unionpay, UNIONPAY_FILE_URL: 'http://127.0.0.1:8106' }],
    [
      'with notices or pages of UnionPay over http in production',
      { ...production, ...unionpay, UNIONPAY_NOTIFY_BASE_URL: 'http://pay.example.com' },
    ],
    ['without the merchant’s number', { ...production, WECHAT_MCHID: undefined }],
  ])('%s', (_, env) => expect(() => readConfig(env)).toThrow(ZodError));
});
