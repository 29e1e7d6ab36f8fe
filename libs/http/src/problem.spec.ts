import { expect, expectTypeOf, test } from 'vitest';
import { commonProblems, HttpProblem, Problem, problemTable } from './problem.ts';

const entry = { status: 409, title: 'The shop is closed', remedy: 'Come back tomorrow.' };

test('a service’s table adds its codes to the common ones', () => {
  const Own = problemTable({ 'shop-closed': entry });
  const thrown = new Own('shop-closed', { detail: 'It is night.', cause: new Error('lights out') });
  expect(thrown).toBeInstanceOf(HttpProblem);
  expect(thrown.cause).toBeInstanceOf(Error);
  expect(thrown.document()).toEqual({
    type: '/problems/shop-closed',
    code: 'shop-closed',
    status: 409,
    title: 'The shop is closed',
    detail: 'It is night.',
    remedy: 'Come back tomorrow.',
  });
  expect(new Own('not-found').entry).toBe(commonProblems['not-found']);
});

test('a code that is taken compiles no more than it runs', () => {
  // @ts-expect-error the code is one of the common ones
  expect(() => problemTable({ 'not-found': entry })).toThrow('not-found is taken');
  expect(() => problemTable({ NotKebab: entry })).toThrow('kebab-case');
});

test('only codes of the table can be thrown', () => {
  const Own = problemTable({ 'shop-closed': entry });
  expectTypeOf<ConstructorParameters<typeof Own>[0]>().not.toEqualTypeOf<string>();
  expectTypeOf<'shop-closed'>().toExtend<ConstructorParameters<typeof Own>[0]>();
  expectTypeOf<'shop-open'>().not.toExtend<ConstructorParameters<typeof Own>[0]>();
});

test('a decision’s refusal is the same document as the thrown problem', () => {
  expect(Problem.response('not-found')).toEqual({ status: 404, body: new Problem('not-found').document() });
});

test('every common problem says what is wrong and what to do, with a status that is an error', () => {
  for (const { status, title, remedy } of Object.values(commonProblems)) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(title).not.toMatch(/\.$/);
    expect(remedy).toMatch(/\.$/);
  }
});
