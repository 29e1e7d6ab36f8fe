import { leaseMs } from '@yunshi/messaging/decide';
import type { Records } from '@yunshi/messaging/records';
import type { CallRow } from '@yunshi/messaging/store';
import { pgError, type Database } from './database.ts';
import { never } from './never.ts';
import type { Process } from '../process.ts';

/** The tables of the core outside of its lanes, as one process reaches them. Each statement is a transaction of its own. */
export function recordsOver(process: Process): Records {
  const { database } = process.service;
  const { world } = process;
  const read = <T>(what: string, statement: () => T): Promise<T> => ask(process, what, 'reads', statement);
  const change = <T>(what: string, statement: () => T): Promise<T> => ask(process, what, 'writes', statement);
  const nowMs = (): number => world.loop.now;
  return {
    outbox: outboxOf(database, { read, change, nowMs }),
    calls: {
      takeDue: (now, max) => change('take calls', () => takeDue(database, now, new Date(world.wallMs()), max)),
      nextAfter: (now) =>
        read('next call', () =>
          earliest([...database.calls.values()].filter((call) => call.open && call.notBefore > now).map((call) => call.notBefore)),
        ),
      putBack: (id, { notBefore, lastError }) =>
        change('put call back', () => {
          const call = database.calls.get(id);
          if (call?.open) database.calls.set(id, { ...call, leasedUntil: new Date(0), notBefore, lastError });
        }),
      giveUp: (id) => change('give call up', () => void database.calls.set(id, { ...database.calls.get(id)!, open: false })),
    },
    due: {
      deadlines: (now, max) =>
        read('deadlines', () =>
          [...database.deadlines.values()]
            .filter((row) => row.dueAt <= now)
            .sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime())
            .slice(0, max),
        ),
      nextDeadline: () => read('next deadline', () => earliest([...database.deadlines.values()].map((row) => row.dueAt))),
      putOff: (id, later) =>
        change('put deadline off', () => {
          const row = database.deadlines.get(id);
          if (row) database.deadlines.set(id, { ...row, ...later });
        }),
      giveUp: (id) => change('give deadline up', () => database.deadlines.delete(id)),
      sagas: (now, max) => read('sagas', () => [...database.sagas.values()].filter((row) => row.lookAt && row.lookAt <= now).slice(0, max)),
      nextSaga: () => read('next saga', () => earliest([...database.sagas.values()].flatMap((row) => row.lookAt ?? []))),
    },
    letters: {
      bury: (letter) =>
        change('bury', () => {
          world.tell(() => `${process.name} buries ${letter.name}: ${String(letter.error)}`);
          if (letter.notice) database.outbox.set(letter.notice.id, { ...letter.notice, createdAt: nowMs() });
          database.letters.set(`${letter.source} ${letter.messageId}`, letter);
        }),
    },
  };
}

type Asking = {
  readonly read: <T>(what: string, statement: () => T) => Promise<T>;
  readonly change: <T>(what: string, statement: () => T) => Promise<T>;
  readonly nowMs: () => number;
};

function outboxOf({ outbox, sent, streamsSeen, reach }: Database, { read, change, nowMs }: Asking): Records['outbox'] {
  return {
    move: (ids) =>
      change('move', () => {
        for (const id of ids) {
          const row = outbox.get(id);
          if (!row) continue;
          outbox.delete(id);
          sent.set(id, { ...row, sentAt: nowMs() });
        }
      }),
    waiting: ({ olderThanMs, max }) =>
      read('sweep', () => [...outbox.values()].filter((row) => row.createdAt < nowMs() - olderThanMs).slice(0, max)),
    takeBack: (stream, withinS) =>
      change('take back', () => {
        const prefix = `${stream.toLowerCase()}.`;
        const newest = [...sent.values()].reduce((latest, row) => Math.max(latest, row.sentAt ?? 0), 0);
        for (const [id, row] of sent) {
          if ((row.sentAt ?? 0) <= newest - withinS * 1_000 || !row.subject.startsWith(prefix)) continue;
          sent.delete(id);
          reach('message taken back to be sent again');
          if (!outbox.has(id)) outbox.set(id, row);
        }
      }),
    seen: (stream) => read('stream seen', () => streamsSeen.get(stream)),
    saw: (stream, seen) => change('saw stream', () => void streamsSeen.set(stream, seen)),
    // What is forgotten after twenty minutes here is kept, to be looked at in the end; nothing else asks for rows of that age.
    tidy: () => change('tidy', () => undefined),
  };
}

function takeDue(database: Database, now: Date, wall: Date, max: number): CallRow[] {
  const due = [...database.calls.values()]
    .filter((call) => call.open && call.notBefore <= now && call.leasedUntil < wall && !database.isLockedByAnother(`calls ${call.id}`))
    .sort((a, b) => a.notBefore.getTime() - b.notBefore.getTime())
    .slice(0, max)
    .map((call) => ({ ...call, leasedUntil: new Date(wall.getTime() + leaseMs), attempts: call.attempts + 1 }));
  for (const call of due) {
    if (call.attempts > 1 && database.calls.get(call.id)!.leasedUntil.getTime() > 0)
      database.reach('call taken over when its lease was over');
    database.calls.set(call.id, call);
  }
  return due;
}

const earliest = (times: readonly Date[]): Date | undefined =>
  times.length === 0 ? undefined : new Date(Math.min(...times.map((time) => time.getTime())));

function ask<T>(process: Process, what: string, kind: 'reads' | 'writes', statement: () => T): Promise<T> {
  const { world, service } = process;
  const { loop, dice } = world;
  if (process.dies(`${what}, before`)) return never;
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      loop.after(world.latency(), () => {
        if (process.alive) reject(pgError('CONNECTION_CLOSED', 'the connection was lost'));
      });
    };
    loop.after(world.latency(), () => {
      if (service.database.isDown || dice.chance(world.mix.cut / 2)) return fail();
      // What was sent is carried out, even if who sent it has died.
      const result = statement();
      if (kind === 'writes') service.database.changed();
      if (kind === 'reads') return void (process.alive && resolve(result));
      if (dice.chance(world.mix.cut / 2)) return fail();
      loop.after(world.latency(), () => {
        if (!process.dies(`${what}, after`)) resolve(result);
      });
    });
  });
}
