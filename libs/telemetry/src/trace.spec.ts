import { expect, test } from 'vitest';
import { context, trace } from '@opentelemetry/api';
import { contextOf, goesOn, linkTo, traceparentOf } from './trace.ts';

const [one, other] = ['1'.repeat(32), '2'.repeat(32)];
const at = (traceId: string, spanId: string) => `00-${traceId}-${spanId.repeat(16)}-01`;

test('a traceparent survives the way into a context and back', () => {
  expect(traceparentOf(trace.getSpan(contextOf(at(one, 'a'))))).toBe(at(one, 'a'));
});

test.for(['', 'nonsense', `01-${one}-${'a'.repeat(16)}-01`, `00-${one}-${'A'.repeat(16)}-01`, `00-${one.slice(1)}-${'a'.repeat(16)}-01`])(
  'a malformed traceparent (%s) continues nothing',
  (malformed) => {
    expect(trace.getSpan(contextOf(malformed))).toBeUndefined();
    expect(linkTo(malformed)).toEqual([]);
  },
);

test('a link names the other trace without joining it', () => {
  expect(linkTo(at(other, 'b'))).toMatchObject([{ context: { traceId: other, spanId: 'b'.repeat(16) } }]);
  expect(trace.getSpan(context.active())).toBeUndefined();
});

test('what has an owner goes on in its trace, at the nearest cause within it', () => {
  expect(goesOn(at(one, 'a'), at(other, 'b'))).toBe(at(one, 'a'));
  expect(goesOn(at(one, 'a'), at(one, 'b'))).toBe(at(one, 'b'));
  expect(goesOn(at(one, 'a'), undefined)).toBe(at(one, 'a'));
  expect(goesOn(undefined, at(other, 'b'))).toBe(at(other, 'b'));
});
