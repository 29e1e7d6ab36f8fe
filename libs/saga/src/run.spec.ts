import { describe, expect, test } from 'vitest';
import {
  dayTrip,
  dropTrip,
  giveMoneyBack,
  holdSeat,
  issueTicket,
  postTicket,
  releaseSeat,
  takeMoney,
  tripSaga,
  weekend,
} from '../fixtures/trip.ts';
import { play } from './play.ts';
import { advance, awaited, begin } from './run.ts';

const paid = () => play(tripSaga, dayTrip).receives('held', { fare: 30 }).receives('taken');
const ticketed = () => paid().receives('issued', { ticket: 'T-1' });

describe('going forward', () => {
  test('the first command leaves at once; what stood before the saga sends nothing', () => {
    const { state, ask } = begin(tripSaga, dayTrip);
    expect(ask).toEqual({ step: 'hold seat', direction: 'do', message: holdSeat({ trip: 'Suzhou', window: true }) });
    expect(state.asked).toEqual(['plan trip', 'hold seat']);
  });

  test('a step left out is neither asked nor undone', () => {
    expect(play(tripSaga, dayTrip).receives('held', { fare: 30 }).state.asked).not.toContain('book room');
    expect(play(tripSaga, weekend).receives('held', { fare: 30 }).awaited?.name).toBe('book room');
  });

  test('what a reply brings is kept and told to the next step', () => {
    play(tripSaga, dayTrip).receives('held', { fare: 30 }).sends(takeMoney, { trip: 'Suzhou', amount: 30 });
    expect(ticketed().receives('sent').endsCompleted()).toMatchObject({ fare: 30, ticket: 'T-1' });
  });

  test('amended while it waits, it asks in new words, and goes on alone where nothing is left to ask', () => {
    const waiting = () => play(tripSaga, dayTrip).receives('held', { fare: 30 });
    const cheaper = waiting().isAmended((trip) => ({ ...trip, fare: 20 }));
    expect(advance(tripSaga, cheaper.state, { kind: 'asked-again' })).toMatchObject({
      value: { ask: { message: { data: { trip: 'Suzhou', amount: 20 } } } },
    });
    const free = waiting().isAmended((trip) => ({ ...trip, fare: 0, free: true }));
    free.sends(issueTicket).receives('refused').sends(giveMoneyBack).receives('nothingTaken').sends(releaseSeat);
    free.ignores({ kind: 'amended', step: 'take money', data: dayTrip });
  });

  test('a reply that prolongs a step says until when, and leaves it awaited', () => {
    const { state } = play(tripSaga, dayTrip).receives('held', { fare: 30 });
    const until = '2026-05-04T12:00:00+08:00';
    const input = { kind: 'answered', step: 'take money', direction: 'do', reply: 'counting', answer: { until } } as const;
    expect(advance(tripSaga, state, input)).toEqual({ ok: true, value: { state, deadline: until } });
    play(tripSaga, dayTrip).receives('held', { fare: 30 }).receives('counting', { until }).receives('taken').sends(issueTicket);
  });

  test('data that does not fit the saga never begins', () => {
    expect(() => begin(tripSaga, { ...dayTrip, fare: -1 })).toThrow('fare');
  });

  test('an answer that does not fit its contract is an error, not a refusal', () => {
    const { state } = begin(tripSaga, dayTrip);
    const input = { kind: 'answered', step: 'hold seat', direction: 'do', reply: 'held', answer: { fare: 'thirty' } } as const;
    expect(() => advance(tripSaga, state, input)).toThrow('fare');
  });
});

describe('turning back', () => {
  test('a refusal tells what was answered, to those who are undone as well', () => {
    play(tripSaga, dayTrip)
      .receives('refused', { reason: 'sold-out' })
      .sends(dropTrip, { trip: 'Suzhou', blame: 'hold seat', returned: 0 })
      .receives('dropped')
      .endsRolledBack('hold seat');
  });

  test('a refused pivot gives everything back', () => {
    const trip = paid()
      .sends(issueTicket)
      .receives('refused')
      .sends(giveMoneyBack, { trip: 'Suzhou', why: 'refused' })
      .receives('givenBack', { amount: 30 })
      .sends(releaseSeat)
      .receives('released')
      .sends(dropTrip, { trip: 'Suzhou', blame: 'issue ticket', returned: 30 })
      .receives('dropped');
    expect(trip.endsRolledBack('issue ticket').returned).toBe(30);
    expect(trip.undone).toEqual(['take money', 'hold seat', 'plan trip']);
  });

  test('a step that stayed silent may have happened and is undone', () => {
    play(tripSaga, dayTrip).receives('held', { fare: 30 }).timesOut().sends(giveMoneyBack, { trip: 'Suzhou', why: 'timed-out' });
  });

  test('an undo that stays silent is asked again for as long as it takes', () => {
    const waiting = paid().receives('refused').timesOut().timesOut().sends(giveMoneyBack);
    expect(waiting.state.asks).toBe(3);
  });

  test('an answer to the deed after its deadline is too late: the undo takes care of it', () => {
    const late = { kind: 'answered', step: 'take money', direction: 'do', reply: 'taken', answer: {} } as const;
    play(tripSaga, dayTrip).receives('held', { fare: 30 }).timesOut().ignores(late).sends(giveMoneyBack);
  });

  test('who stops it is told to the undo', () => {
    const { failure } = play(tripSaga, dayTrip).isStopped('changed my mind').state;
    expect(failure).toEqual({ step: 'hold seat', cause: 'stopped', reply: 'changed my mind' });
  });
});

describe('past the pivot', () => {
  test('a silent pivot is asked again, because undoing it could give goods or money away', () => {
    expect(paid().timesOut().sends(issueTicket).state).toMatchObject({ phase: 'forward', asks: 2 });
  });

  test('a refusal of a retriable step leaves the saga where it stands', () => {
    const refusal = { kind: 'answered', step: 'post ticket', direction: 'do', reply: 'refused', answer: {} } as const;
    expect(advance(tripSaga, ticketed().sends(postTicket).state, refusal)).toEqual({ ok: false, error: 'refusal-not-allowed' });
  });

  test.each(['completed', 'rolled-back'] as const)('%s is the end', (phase) => {
    const end =
      phase === 'completed' ? ticketed().receives('sent') : play(tripSaga, dayTrip).isStopped().receives('released').receives('dropped');
    expect(end.state.phase).toBe(phase);
    expect(awaited(tripSaga, end.state)).toBeUndefined();
    expect(advance(tripSaga, end.state, { kind: 'asked-again' })).toEqual({ ok: false, error: 'ended' });
  });
});
