import { expect, test } from 'vitest';
import { readable, redacted } from './redact.ts';

test('members that hold secrets are hidden however deep they are and however they are spelt, the rest stays', () => {
  expect(
    redacted({
      orderId: 'ord_1',
      request: { apiKey: 'k', private_key: 'p', items: [{ secretId: 's', amount: 3 }], codeUrl: 'weixin://x' },
      Authorization: 'Bearer x',
      note: null,
    }),
  ).toEqual({
    orderId: 'ord_1',
    request: { apiKey: '[redacted]', private_key: '[redacted]', items: [{ secretId: '[redacted]', amount: 3 }], codeUrl: '[redacted]' },
    Authorization: '[redacted]',
    note: null,
  });
});

test('a signed token is hidden wherever it stands', () => {
  expect(redacted({ error: 'refused: eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2ln at 3' })).toEqual({ error: 'refused: [redacted] at 3' });
});

test('text that is no JSON is shown as it is', () => {
  expect(readable('{"a":{"token":1}}')).toEqual({ a: { token: '[redacted]' } });
  expect(readable('{"a":')).toBe('{"a":');
});
