/**
 * What the compiler must refuse in a saga. Nothing here runs: `tsc` reads it, and complains about each
 * `@ts-expect-error` under which there is no error any more.
 */
import {
  bookRoom,
  cancelRoom,
  dropTrip,
  giveMoneyBack,
  holdSeat,
  issueTicket,
  postTicket,
  releaseSeat,
  Trip,
  type Trip as TripData,
} from '../fixtures/trip.ts';
import { saga } from './define.ts';
import { play } from './play.ts';

const trip = ({ trip }: TripData) => ({ trip });
const seat = ({ trip }: TripData) => ({ trip, window: false });
const room = { send: bookRoom, with: trip, on: 'booked', undo: cancelRoom, undoWith: trip } as const;
const begun = () => saga('checked', 1, Trip).startedBy('plan', { undo: dropTrip, undoWith: () => ({ trip: '', blame: '', returned: 0 }) });
const pivoted = () => begun().pivot('issue', { send: issueTicket, with: trip, on: 'issued' });

export function aCompensableStepHasAnUndo() {
  // @ts-expect-error the undo is missing
  begun().compensable('book room', { send: bookRoom, with: trip, on: 'booked' });
  // @ts-expect-error the undo is named, but not what it is told
  begun().compensable('book room', { send: bookRoom, with: trip, on: 'booked', undo: cancelRoom });
  // @ts-expect-error what began before the saga needs an undo as well
  saga('checked', 1, Trip).startedBy('plan', {});
}

export function afterThePivotItOnlyGoesForward() {
  // @ts-expect-error nothing can be compensated any more
  pivoted().compensable('book room', room);
  // @ts-expect-error there is one pivot
  pivoted().pivot('issue again', { send: issueTicket, with: trip, on: 'issued' });
  // @ts-expect-error a retriable step before the pivot would be neither undone nor final
  begun().retriable('post', { send: postTicket, with: () => ({ trip: '', ticket: '' }), on: 'sent' });
  // @ts-expect-error without a pivot nobody knows when the buyer's regret comes too late
  begun().end();
  return pivoted().end();
}

export function aStepWaitsForADeclaredReply() {
  // @ts-expect-error the inn never says «confirmed»
  begun().compensable('book room', { ...room, on: 'confirmed' });
  // @ts-expect-error nor does the railway
  begun().pivot('issue', { send: issueTicket, with: trip, on: 'printed' });
  begun().compensable('hold seat', {
    send: holdSeat,
    with: seat,
    on: 'held',
    // @ts-expect-error the answer of `on` has a fare and no price
    keep: (data, { price }) => ({ ...data, fare: price }),
    undo: releaseSeat,
    undoWith: trip,
  });
}

export function aCommandGetsItsOwnData() {
  // @ts-expect-error a seat is held at a window or not
  begun().compensable('hold seat', { send: holdSeat, with: trip, on: 'held', undo: releaseSeat, undoWith: trip });
  begun().compensable('hold seat', {
    send: holdSeat,
    // @ts-expect-error and not at a «yes»
    with: ({ trip }) => ({ trip, window: 'yes' }),
    on: 'held',
    undo: releaseSeat,
    undoWith: trip,
  });
  // @ts-expect-error money is given back for a reason
  begun().compensable('book room', { ...room, undo: giveMoneyBack, undoWith: trip });
  begun().compensable('hold seat', {
    send: holdSeat,
    // @ts-expect-error a saga remembers what its schema says, and no more
    with: ({ destination }) => ({ trip: destination, window: true }),
    on: 'held',
    undo: releaseSeat,
    undoWith: trip,
  });
}

export function aDialogueBeginsWithTheDataOfItsSaga() {
  // @ts-expect-error a trip is more than its name
  play(pivoted().end(), { trip: 'Suzhou' });
  // @ts-expect-error a room is booked for a trip
  play(pivoted().end(), {} as TripData).sends(bookRoom, { room: 12 });
}
