import { expect, test } from 'vitest';
import { z } from 'zod';
import { looseObjects } from './strict.ts';

const loose = z.object({ a: z.string() });
const strict = z.strictObject({ a: z.string() });

test('an object that drops unknown keys is found wherever it hides', () => {
  expect(looseObjects(loose)).toEqual(['/']);
  for (const hiding of [
    loose.optional(),
    loose.nullable(),
    loose.default({ a: '' }),
    loose.readonly(),
    loose.transform((value) => value),
    z.union([z.string(), loose]),
    z.intersection(strict, loose),
    z.lazy(() => loose),
  ]) {
    expect(looseObjects(z.strictObject({ inner: hiding }))).toEqual(['/inner']);
  }
  expect(looseObjects(z.array(z.record(z.string(), loose)))).toEqual(['/*/*']);
  expect(looseObjects(z.tuple([strict, loose]))).toEqual(['/1']);
});

test('strict objects and recursion are fine', () => {
  type Tree = { children: Tree[] };
  const tree: z.ZodType<Tree> = z.strictObject({ children: z.lazy(() => z.array(tree)) });
  expect(looseObjects(tree)).toEqual([]);
  expect(looseObjects(strict)).toEqual([]);
});
