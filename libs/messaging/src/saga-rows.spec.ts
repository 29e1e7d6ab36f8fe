import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { command } from '@yunshi/contracts/define';
import { saga } from '@yunshi/saga/define';
import { buriedOut, Envelope, replyOut } from './envelope.ts';
import type { SagaRef } from './handle.ts';
import { sagaHandlers, sagaStarted } from './saga-rows.ts';
import type { SagaLogRow, SagaRow } from './store.ts';

const Trip = z.object({ trip: z.string() });
const ask = { data: Trip, replies: { done: z.object({}), refused: z.object({}) } };
const patient = { data: Trip, replies: { ...ask.replies, waiting: z.object({ until: z.string() }) } };
const [bookTrain, bookHotel, sendPapers] = [
  command('trip.train', 1, patient),
  command('trip.hotel', 1, ask),
  command('trip.papers', 1, ask),
];
const undone = { data: Trip, replies: { done: z.object({}) } };
const [cancelTrain, closeTrip] = [command('trip.no-train', 1, undone), command('trip.close', 1, undone)];
const same = (trip: z.infer<typeof Trip>) => trip;

const tripSaga = saga('trip', 1, Trip)
  .startedBy('plan trip', { undo: closeTrip, undoWith: same })
  .compensable('book train', {
    send: bookTrain,
    with: same,
    on: 'done',
    prolong: { on: 'waiting', until: ({ until }) => until },
    undo: cancelTrain,
    undoWith: same,
  })
  .pivot('book hotel', { send: bookHotel, with: same, on: 'done' })
  .retriable('send papers', { send: sendPapers, with: same, on: 'done' })
  .end();

/** A saga of the service `desk`, moved by what reaches it. */
function trip() {
  const { replies, wake } = sagaHandlers([tripSaga], 'desk');
  const log: SagaLogRow[] = [];
  let now = new Date('2026-03-02T12:00:00Z');
  let row: SagaRow;
  const keep = ({ writes = [] }: { writes?: readonly { to: { name: string }; row: unknown }[] }) => {
    for (const { to, row: written } of writes) {
      if (to.name === 'sagas') row = written as SagaRow;
      else log.push(written as SagaLogRow);
    }
  };
  const take = (body: string) => keep(replies.decide(Envelope.parse(JSON.parse(body)) as never, row, { now } as never));
  const ref = (step: string, direction: 'do' | 'undo'): SagaRef => ({ sagaId: 'sag_1', step, direction, replyTo: 'desk' });
  keep(sagaStarted({ saga: tripSaga, id: 'sag_1', key: 'trip 1', data: { trip: 'Wuzhen' } }, 'desk', now, undefined));
  const its = {
    log,
    row: () => row,
    answered(step: string, direction: 'do' | 'undo', reply: string, data: object = {}) {
      take(replyOut(ref(step, direction), { reply, data }, now, undefined).body);
      return its;
    },
    buried(step: string, direction: 'do' | 'undo') {
      const of = Envelope.parse({
        id: crypto.randomUUID(),
        type: 'trip.no-train',
        version: 1,
        at: now.toISOString(),
        saga: ref(step, direction),
        data: {},
      });
      take(buriedOut(of, { by: 'railway', error: 'Error: no such train' }, now, undefined)!.body);
      return its;
    },
    /** Time passes until it wakes, so many times. */
    silence(times: number) {
      for (let nth = 0; nth < times; nth++) {
        now = row.wakeAt!;
        keep(wake.decide('sag_1' as never, row, { now } as never));
      }
      return its;
    },
  };
  return its;
}

const turnedBack = () => trip().answered('book train', 'do', 'done').answered('book hotel', 'do', 'refused');

test('a reply that prolongs a step puts its deadline off, and never forward', () => {
  const [soon, later] = ['2026-03-02T12:05:00.000Z', '2026-03-09T12:00:00.000Z'];
  const its = trip().answered('book train', 'do', 'waiting', { until: later });
  expect(its.row()).toMatchObject({ step: 'book train', phase: 'forward', deadlineAt: new Date(later) });
  expect(its.log.at(-1)).toMatchObject({ input: { kind: 'answered', reply: 'waiting' }, sent: null });
  expect(its.answered('book train', 'do', 'waiting', { until: soon }).row().deadlineAt).toEqual(new Date(later));
  // Meanwhile it is asked again, as any other.
  expect(its.silence(3).row()).toMatchObject({ step: 'book train', deadlineAt: new Date(later) });
  expect(its.answered('book train', 'do', 'done').row().step).toBe('book hotel');
});

describe('a saga is in trouble', () => {
  test('when its undo is answered with what the command does not declare; the answer stands in the log', () => {
    const its = turnedBack().answered('book train', 'undo', 'perhaps');
    expect(its.row()).toMatchObject({
      phase: 'backward',
      step: 'book train',
      trouble: { kind: 'not-declared', detail: "answered 'perhaps'" },
    });
    expect(its.log.at(-1)).toMatchObject({ input: { kind: 'answered', reply: 'perhaps' }, step: 'book train', sent: null });
  });

  test('when a step after the pivot is refused', () => {
    const its = trip().answered('book train', 'do', 'done').answered('book hotel', 'do', 'done').answered('send papers', 'do', 'refused');
    expect(its.row()).toMatchObject({ phase: 'forward', step: 'send papers', trouble: { kind: 'not-declared' } });
  });

  test('when a message about the step it awaits is buried, and says where', () => {
    const its = turnedBack().buried('book train', 'undo');
    expect(its.row().trouble).toMatchObject({ kind: 'buried', service: 'railway', detail: 'trip.no-train: Error: no such train' });
    expect(its.log.at(-1)).toMatchObject({ input: { kind: 'buried', by: 'railway' } });
    const { since } = its.row().trouble!;
    expect(its.silence(1).buried('book train', 'undo').row().trouble?.since).toBe(since);
  });

  test('when an undo has been asked for more than five times, since the sixth', () => {
    const its = turnedBack().silence(4);
    expect(its.row().trouble).toBeNull();
    const { since } = its.silence(1).row().trouble!;
    expect(its.silence(3).row().trouble).toEqual({ kind: 'unanswered', detail: 'asked 9 times', since });
  });
});

describe('a saga is in no trouble', () => {
  test('once it moves on', () => {
    const its = turnedBack().buried('book train', 'undo').silence(1);
    expect(its.row().trouble?.kind).toBe('buried');
    expect(its.answered('book train', 'undo', 'done').row()).toMatchObject({ step: 'plan trip', trouble: null });
    expect(its.answered('plan trip', 'undo', 'done').row()).toMatchObject({ phase: 'rolled-back', trouble: null });
  });

  test('by what is about another step than the one it awaits', () => {
    for (const its of [
      turnedBack().buried('book hotel', 'do'),
      turnedBack().buried('book train', 'do'),
      trip().buried('book train', 'undo'),
    ])
      expect(its.row().trouble).toBeNull();
    const ended = turnedBack().answered('book train', 'undo', 'done').answered('plan trip', 'undo', 'done').buried('plan trip', 'undo');
    expect(ended.row().trouble).toBeNull();
  });

  test('while a pivot takes its time, or a step waits for its deadline', () => {
    expect(trip().answered('book train', 'do', 'done').silence(20).row().trouble).toBeNull();
    expect(trip().silence(2).row()).toMatchObject({ step: 'book train', trouble: null });
  });

  test('by news about news, which is not told', () => {
    const news = Envelope.parse(
      JSON.parse(
        buriedOut(
          Envelope.parse({
            id: crypto.randomUUID(),
            type: 'x',
            version: 1,
            at: '2026-03-02T12:00:00Z',
            saga: { sagaId: 's', step: 'a', direction: 'do', replyTo: 'desk' },
            data: {},
          }),
          { by: 'railway', error: 'no' },
          new Date(),
          undefined,
        )!.body,
      ),
    );
    expect(buriedOut(news, { by: 'desk', error: 'no' }, new Date(), undefined)).toBeUndefined();
  });
});
