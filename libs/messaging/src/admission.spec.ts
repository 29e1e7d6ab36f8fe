import { expect, test } from 'vitest';
import { admission, type Load } from './admission.ts';
import { Overloaded } from './faults.ts';

const limits = { messagesMax: 100, outboxRowsMax: 50, fullnessMax: 0.9 };

function door({ random = (): number => 0.5 } = {}) {
  let found: Partial<Load> = {};
  let measure = (): Promise<void> => Promise.resolve();
  let during = (): Promise<void> => Promise.resolve();
  const faults: unknown[] = [];
  const { admit } = admission({
    limits,
    measures: [
      async () => {
        await during();
        return found;
      },
    ],
    random,
    every: (run) => {
      measure = run;
      return () => undefined;
    },
    onFault: (_, error) => void faults.push(error),
  });
  const tried = (begin = () => Promise.resolve()): Promise<unknown> =>
    admit(begin).then(
      () => 'in',
      (error: unknown) => error,
    );
  return {
    tried,
    faults,
    measured: (load: Partial<Load>, meanwhile = (): Promise<void> => Promise.resolve()) => {
      [found, during] = [load, meanwhile];
      return measure();
    },
    admitted: async (times: number) =>
      (await Promise.all(Array.from({ length: times }, () => tried()))).filter((what) => what === 'in').length,
  };
}

test('as much comes in as may wait, and no more, however little is measured', async () => {
  const { measured, admitted } = door();
  await measured({ messages: 90, outboxRows: 0, fullness: 0 });
  expect(await admitted(1_000)).toBe(10);
  await measured({ messages: 0, outboxRows: 48, fullness: 0 });
  expect(await admitted(1_000)).toBe(2);
  await measured({ messages: 0, outboxRows: 0, fullness: 0.9 });
  expect(await admitted(1_000)).toBe(0);
});

test('it opens again by itself when what waited is done', async () => {
  const { measured, admitted } = door();
  await measured({ messages: 100, outboxRows: 0, fullness: 0 });
  expect(await admitted(1)).toBe(0);
  await measured({ messages: 99, outboxRows: 0, fullness: 0 });
  expect(await admitted(1_000)).toBe(1);
});

test('what comes in while it is measured is counted', async () => {
  const { measured, admitted } = door();
  await measured({ messages: 60, outboxRows: 0, fullness: 0 }, async () => expect(await admitted(30)).toBe(30));
  expect(await admitted(1_000)).toBe(10);
});

test('what is in hand counts until it has ended and has been measured', async () => {
  const { measured, admitted, tried } = door();
  const ends = Promise.withResolvers<void>();
  const slow = Array.from({ length: 40 }, () => tried(() => ends.promise));
  await measured({ messages: 50, outboxRows: 0, fullness: 0 });
  expect(await admitted(1_000)).toBe(10);
  ends.reject(new Error('refused'));
  await Promise.all(slow);
  expect(await admitted(1_000)).toBe(0);
  await measured({ messages: 60, outboxRows: 0, fullness: 0 });
  expect(await admitted(1_000)).toBe(40);
});

test('what cannot be measured is believed to be as it was, with what has come in since', async () => {
  const { measured, admitted } = door();
  await measured({ messages: 60, outboxRows: 0, fullness: 0 });
  expect(await admitted(30)).toBe(30);
  await measured({ outboxRows: 30 });
  expect(await admitted(1_000)).toBe(10);
  await measured({ messages: 0, outboxRows: 0, fullness: 0 });
  expect(await admitted(20)).toBe(20);
  await measured({});
  expect(await admitted(1_000)).toBe(30);
});

test('those who are refused are told to come back at different times', async () => {
  const draws = [0, 0.3, 0.999];
  const { measured, tried } = door({ random: () => draws.shift()! });
  await measured({ messages: 100, outboxRows: 0, fullness: 0 });
  const refused = (await Promise.all([tried(), tried(), tried()])) as Overloaded[];
  for (const error of refused) expect(error).toBeInstanceOf(Overloaded);
  expect(refused.map(({ retryAfterS }) => Math.ceil(retryAfterS))).toEqual([2, 4, 8]);
});

test('that it refuses is told once for each time that it begins to', async () => {
  const { measured, admitted, faults } = door();
  await measured({ messages: 100, outboxRows: 0, fullness: 0 });
  await admitted(50);
  expect(faults).toHaveLength(1);
  await measured({ messages: 99, outboxRows: 0, fullness: 0 });
  await admitted(50);
  expect(faults).toHaveLength(2);
});
