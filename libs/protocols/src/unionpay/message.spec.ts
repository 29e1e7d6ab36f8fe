import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseForm, parseMessage, signedText, writeForm, writeMessage } from './message.ts';

describe('an answer', () => {
  test('is read as it is, with «&» and «=» inside the brackets of a value', () => {
    expect(parseMessage('respCode=00&respMsg=成功[0000000]&cardTransData={a=1&b={c=[2&3]}&d=4}&signature=x+/y==\n')).toEqual({
      ok: true,
      value: { respCode: '00', respMsg: '成功[0000000]', cardTransData: '{a=1&b={c=[2&3]}&d=4}', signature: 'x+/y==' },
    });
  });
  test.each([
    ['a name twice', 'a=1&a=2'],
    ['no name', '=1'],
    ['no value', 'a'],
    ['nothing', ''],
    ['a bracket that is not closed', 'a={1&b=2'],
    ['brackets that cross', 'a={[1}]'],
    ['a bracket that was never opened', 'a=1}'],
    ['more fields than anybody sends', Array.from({ length: 101 }, (_, nth) => `a${nth}=1`).join('&')],
  ])('with %s is refused', (_, text) => expect(parseMessage(text)).toEqual({ ok: false, error: 'malformed' }));
});

test('a form cut off within a sign is refused, and so is a name twice', () => {
  expect(parseForm('a=%E4%B8%AD&b=1+2%2B3')).toEqual({ ok: true, value: { a: '中', b: '1 2+3' } });
  for (const text of ['a=%E', 'a=%', 'a=1&a=1', '']) expect(parseForm(text)).toEqual({ ok: false, error: 'malformed' });
});

test('what is signed is sorted by name, and is all but the signature', () => {
  expect(signedText({ txnType: '01', Z: '2', signature: 's', accNo: '', certId: '7' })).toBe('Z=2&accNo=&certId=7&txnType=01');
});

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,9}$/);
test('whatever is written is read again, as a message and as a form', () => {
  const value = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[&{}[\]\r\n]/g, ''));
  fc.assert(
    fc.property(fc.dictionary(name, value, { minKeys: 1, noNullPrototype: true }), (fields) => {
      expect(parseMessage(writeMessage(fields))).toEqual({ ok: true, value: fields });
      expect(parseForm(writeForm(fields))).toEqual({ ok: true, value: fields });
    }),
  );
});
