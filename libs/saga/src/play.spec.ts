import { expect, test } from 'vitest';
import { dayTrip, holdSeat, takeMoney, tripSaga } from '../fixtures/trip.ts';
import { play } from './play.ts';

const begun = () => play(tripSaga, dayTrip);

test('a dialogue fails where another command is sent, or other words', () => {
  expect(() => begun().sends(takeMoney)).toThrow('till.take');
  expect(() => begun().sends(holdSeat, { trip: 'Suzhou', window: false })).toThrow('window');
});

test('a dialogue fails where a reply does not count', () => {
  expect(() => begun().receives('sold')).toThrow('refusal-not-allowed');
});

test('a dialogue fails where the end is another one', () => {
  const stopped = begun().isStopped().receives('released').receives('dropped');
  expect(() => stopped.endsCompleted()).toThrow('rolled-back');
  expect(() => stopped.endsRolledBack('take money')).toThrow('hold seat');
  expect(stopped.isDone).toBe(true);
});

test('a dialogue fails where something should be ignored and is not', () => {
  expect(() => begun().ignores({ kind: 'deadline-passed' })).toThrow('the saga took notice');
});
