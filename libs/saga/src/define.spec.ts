import { expect, test } from 'vitest';
import { bookRoom, cancelRoom, dropTrip, issueTicket, Trip, tripSaga } from '../fixtures/trip.ts';
import { declaredSagas, saga } from './define.ts';

const trip = ({ trip: name }: { trip: string }) => ({ trip: name });
const room = { send: bookRoom, with: trip, on: 'booked', undo: cancelRoom, undoWith: trip } as const;
const begun = () =>
  saga('stay', 1, Trip).startedBy('plan trip', { undo: dropTrip, undoWith: () => ({ trip: '', blame: '', returned: 0 }) });

test('each step says what it is', () => {
  expect(tripSaga.steps.map(({ name, kind }) => [name, kind])).toEqual([
    ['plan trip', 'compensable'],
    ['hold seat', 'compensable'],
    ['book room', 'compensable'],
    ['take money', 'compensable'],
    ['issue ticket', 'pivot'],
    ['post ticket', 'retriable'],
  ]);
});

test('a name belongs to one step, because answers are matched by it', () => {
  expect(() => begun().compensable('book room', room).compensable('book room', room)).toThrow("two steps called 'book room'");
});

test('a finished definition cannot be changed', () => {
  expect(() => (tripSaga.steps as unknown[]).push({})).toThrow(TypeError);
  expect(() => Object.assign(tripSaga.steps[0] ?? {}, { name: 'other' })).toThrow(TypeError);
});

test('what has been declared can be found, each version for itself', () => {
  const finished = begun().pivot('issue ticket', { send: issueTicket, with: trip, on: 'issued' }).end();
  expect(declaredSagas()).toEqual(expect.arrayContaining([tripSaga, finished]));
});
