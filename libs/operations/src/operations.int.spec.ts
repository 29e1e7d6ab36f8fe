import { headers as makeHeaders, nanos } from '@nats-io/transport-node';
import type { Message } from '@yunshi/contracts/define';
import { operator } from '@yunshi/http/testing';
import { managerOf, streams } from '@yunshi/messaging/bus';
import { moveClock } from '@yunshi/messaging/clock';
import { messageOut } from '@yunshi/messaging/envelope';
import type { SagaRef } from '@yunshi/messaging/handle';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openShop, packParcel, parcelLost, type Shop } from '../fixtures/shop.ts';

const database = await testDatabase('shop');
const nats = await testNats();
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ databaseUrl: database.url, natsUrl: nats.url });
});
afterAll(() => shop.stop());

type Letter = {
  letter_id: string;
  name: string;
  state: string;
  error: string;
  error_class: string;
  attempts: number;
  retries: number;
  message_id: string | null;
  headers: Record<string, string>;
  body: { id: string; data: unknown };
  history: { actor: string; action: string; reason: string | null }[];
};
type Page<T> = { items: T[]; next_cursor: string | null };

const get = async <T>(path: string) => (await shop.ask('GET', path)).body as T;
const letters = async (query = '') => (await get<Page<Letter>>(`dead-letters?limit=100&${query}`)).items;
const letterAbout = (parcel: string) => until(async () => (await letters('state=open')).find(({ error }) => error.includes(parcel)));
const show = (id: string) => get<Letter>(`dead-letters/${id}`);

/** Puts a message on its stream, as another service would. */
async function tell(message: Message, saga?: SagaRef): Promise<string> {
  const { id, subject, body } = messageOut(message, saga, new Date(), undefined);
  const headers = makeHeaders();
  headers.set('Nats-Msg-Id', id);
  headers.set('x-api-key', 'not to be read');
  await shop.core.nc.request(subject, body, { headers, timeout: 5_000 });
  return id;
}
const sagaOf = (parcel: string) => `sag_${parcel}`;
const pack = (parcel: string) =>
  tell(packParcel({ parcel, pickupToken: 'not to be read' }), { sagaId: sagaOf(parcel), step: 'pack', direction: 'do', replyTo: 'nobody' });
const breaks = (parcel: string, error: string) => shop.broken.set(parcel, error);

/** What the tests are about, all buried at once: five deliveries take twelve seconds. */
const ids = new Map<string, string>();
beforeAll(async () => {
  const parcels = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'g1', 'g2', 'g3', 'h1', 'h2'];
  const errors: Record<string, string> = { g: 'no label for parcel', h: 'no paper for parcel' };
  for (const parcel of [...parcels, 'e1']) breaks(parcel, `${errors[parcel[0]!] ?? 'nothing can be done about'} '${parcel}'`);
  for (const parcel of parcels) ids.set(parcel, await pack(parcel));
  ids.set('e1', await tell(parcelLost({ parcel: 'e1' })));
  await until(async () => (await letters('state=open')).length === ids.size, { within: 40_000 });
});
const buried = async (parcel: string) => ({ id: ids.get(parcel)!, letter: await letterAbout(`'${parcel}'`) });
const repair = (...parcels: string[]) => parcels.forEach((parcel) => shop.broken.delete(parcel));

/** What 35 seconds would do: the letter has lain for longer than the streams (see below) remember the id of its message. */
const timePasses = (id: string) => shop.core.sql`update dead_letters set at = at - interval '1 minute' where message_id = ${id}`;
beforeAll(async () => {
  const manager = await managerOf(shop.core.nc);
  for (const { name } of streams) await manager.streams.update(name!, { duplicate_window: nanos(100) });
});

describe('a dead letter', () => {
  test('is shown with its cause, its attempts and its body, without what is secret', async () => {
    const { id, letter } = await buried('p1');
    expect(letter).toMatchObject({
      name: 'cmd.shop.pack.v1',
      state: 'open',
      attempts: 5,
      retries: 0,
      error: "Error: nothing can be done about 'p1'",
    });
    const shown = await show(letter.letter_id);
    expect(shown.message_id).toBe(id);
    expect(shown.body).toMatchObject({ id, data: { parcel: 'p1', pickupToken: '[redacted]' } });
    expect(shown.headers).toMatchObject({ 'Nats-Msg-Id': id, 'x-api-key': '[redacted]' });
    expect(JSON.stringify(shown)).not.toContain('not to be read');
  });

  test('is handled once more when it is retried, counts its retries, and says who had it retried', async () => {
    const { id, letter } = await buried('p2');
    await timePasses(id);
    const again = await shop.ask('POST', `dead-letters/${letter.letter_id}/retry`, { body: { reason: 'the scales are repaired' } });
    expect(again).toMatchObject({ status: 202, body: { state: 'retried', retries: 1 } });
    // It fails once more, and is the same letter again.
    const reopened = await until(async () => (await show(letter.letter_id)).state === 'open' && show(letter.letter_id), { within: 30_000 });
    expect(reopened).toMatchObject({ retries: 1, attempts: 5, message_id: id });
    repair('p2');
    await timePasses(id);
    await shop.ask('POST', `dead-letters/${letter.letter_id}/retry`, { body: {} });
    await until(() => shop.done.includes('packed p2'));
    const { state, retries, history } = await show(letter.letter_id);
    expect({ state, retries }).toEqual({ state: 'retried', retries: 2 });
    expect(history.map(({ actor, action, reason }) => [actor, action, reason])).toEqual([
      [operator.userId, 'dead-letter.retry', null],
      [operator.userId, 'dead-letter.retry', 'the scales are repaired'],
    ]);
    // Decided is not yet committed.
    await until(async () => (await shop.core.sql`select 1 from inbox where id = ${id}`).length === 1);
  });

  test('waits until its stream has forgotten the message id, which would take the retry for a repetition', async () => {
    const { id, letter } = await buried('p3');
    repair('p3');
    await shop.ask('POST', `dead-letters/${letter.letter_id}/retry`, { body: {} });
    const [row] = await shop.core.sql<{ wait: number; body: string }[]>`
      select extract(epoch from o.created_at - d.at)::float as wait, o.body from outbox o join dead_letters d on d.message_id = o.id::text where o.id = ${id}`;
    for (const { duplicate_window } of streams) expect(row!.wait * 1e9).toBeGreaterThan(duplicate_window!);
    expect(JSON.parse(row!.body)).toMatchObject({ id, data: { parcel: 'p3', pickupToken: 'not to be read' } });
  });

  test('that was handled meanwhile does not count twice', async () => {
    const { id, letter } = await buried('p4');
    repair('p4');
    await shop.core.sql`insert into inbox (id) values (${id})`;
    await shop.core
      .sql`insert into barrier (saga_id, step, direction, reply, answer) values (${sagaOf('p4')}, 'pack', 'do', 'packed', '{}')`;
    await timePasses(id);
    await shop.ask('POST', `dead-letters/${letter.letter_id}/retry`, { body: {} });
    await until(async () => (await shop.core.sql`select 1 from sent where id = ${id}`).length === 1);
    await pack('p4-after');
    await until(() => shop.done.includes('packed p4-after'));
    expect(shop.done).not.toContain('packed p4');
  });

  test('is discarded with a reason, and stays readable', async () => {
    const { letter } = await buried('p5');
    const path = `dead-letters/${letter.letter_id}/discard`;
    expect(await shop.ask('POST', path, { body: {} })).toMatchObject({ status: 400, body: { code: 'request-not-valid' } });
    expect(await shop.ask('POST', path, { body: { reason: 'the parcel is gone' } })).toMatchObject({
      status: 200,
      body: { state: 'discarded' },
    });
    expect((await show(letter.letter_id)).history).toMatchObject([{ action: 'dead-letter.discard', reason: 'the parcel is gone' }]);
    const retried = await shop.ask('POST', `dead-letters/${letter.letter_id}/retry`, { body: {} });
    expect(retried).toMatchObject({ status: 409, body: { code: 'dead-letter-not-open', detail: 'It is discarded.' } });
  });

  test('is acted on by one of two operators who are at it together', async () => {
    const { letter } = await buried('p6');
    const path = `dead-letters/${letter.letter_id}`;
    const answers = await Promise.all([
      shop.ask('POST', `${path}/retry`, { body: {} }),
      shop.ask('POST', `${path}/discard`, { body: { reason: 'no' } }),
      shop.ask('POST', `${path}/retry`, { body: {} }),
    ]);
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(1);
    expect((await show(letter.letter_id)).history).toHaveLength(1);
  });

  test('about an event that others may have forgotten is not retried', async () => {
    const { id, letter } = await buried('e1');
    await shop.core.sql`update dead_letters set first_at = now() - interval '21 days' where message_id = ${id}`;
    expect(await shop.ask('POST', `dead-letters/${letter.letter_id}/retry`, { body: {} })).toMatchObject({
      status: 409,
      body: { code: 'dead-letter-too-old' },
    });
  });

  test('that does not exist is not found', async () => {
    for (const id of ['999999', 'x', '0198c000-0000-7000-8000-ffffffffffff', '99999999999999999999']) {
      expect(await shop.ask('GET', `dead-letters/${id}`)).toMatchObject({ status: 404 });
      expect(await shop.ask('POST', `dead-letters/${id}/retry`, { body: {} })).toMatchObject({ status: 404 });
    }
  });
});

describe('deadlines and calls', () => {
  const buryByHand = (source: string, name: string, id: string, body: object) => shop.core.sql`
    insert into dead_letters (source, name, message_id, body, headers, error, error_class, attempts, state)
    values (${source}, ${name}, ${id}, ${JSON.stringify(body)}, '{}', 'Error: no', 'Error: no', 12, 'open')`;
  const idOf = async (name: string) => (await letters(`state=open&name=${name}`))[0]!.letter_id;

  test('a deadline that was given up falls due again', async () => {
    await buryByHand('deadline', 'shop.reminder', 'shop.reminder d1', {
      id: 'shop.reminder d1',
      kind: 'shop.reminder',
      key: 'd1',
      attempts: 11,
    });
    await shop.ask('POST', `dead-letters/${await idOf('shop.reminder')}/retry`, { body: {} });
    await until(() => shop.done.includes('reminded of d1'));
    // Decided is not yet committed.
    const gone = async () => (await shop.core.sql`select 1 from deadlines where id = 'shop.reminder d1'`).length === 0;
    expect(await until(gone)).toBe(true);
  });

  test('a deadline that has been set anew keeps its new time', async () => {
    const at = new Date(shop.core.clock.now().getTime() + 86_400_000);
    await shop.remind('d2', at);
    await buryByHand('deadline', 'shop.reminder', 'shop.reminder d2', {
      id: 'shop.reminder d2',
      kind: 'shop.reminder',
      key: 'd2',
      attempts: 11,
    });
    await shop.ask('POST', `dead-letters/${await idOf('shop.reminder')}/retry`, { body: {} });
    expect(await shop.core.sql`select due_at from deadlines where id = 'shop.reminder d2'`).toEqual([{ due_at: at }]);
  });

  test('a call that was given up is made again, and its outcome is taken', async () => {
    breaks('c1', 'the courier does not answer');
    await shop.send('c1');
    const call = await until(
      async () => (await shop.core.sql<{ id: string }[]>`select id from calls where key = 'c1' and last_error is not null`)[0],
    );
    await shop.core.sql`update calls set attempts = 19 where id = ${call.id}`;
    await moveClock(shop.core.nc, 600_000);
    const letter = await letterAbout('the courier does not answer');
    expect(letter).toMatchObject({ source: 'call', name: 'shop.courier', attempts: 20 });
    repair('c1');
    await shop.ask('POST', `dead-letters/${letter.letter_id}/retry`, { body: {} });
    await until(() => shop.done.includes('sent c1'));
    // Sent is not yet committed.
    const closed = async () => (await shop.core.sql`select 1 from calls where id = ${call.id} and not open`).length === 1;
    expect(await until(closed)).toBe(true);
  });
});

describe('a group', () => {
  const group = { name: 'cmd.shop.pack.v1', error_class: 'Error: no label for parcel …' };

  test('has all letters with one cause, counts them, and is retried as a whole', async () => {
    for (const parcel of ['g1', 'g2', 'g3']) await timePasses(ids.get(parcel)!);
    const { items } = await get<Page<{ letters: number; first_at: string; last_at: string }>>('dead-letters/groups');
    expect(items).toContainEqual(expect.objectContaining({ ...group, source: 'message', letters: 3, retries: 0 }));
    repair('g1', 'g2', 'g3');
    const { status, body } = await shop.ask('POST', 'dead-letters/retry', { body: { ...group, reason: 'labels are back' } });
    expect({ status, body }).toMatchObject({ status: 202, body: { left: 0 } });
    expect((body as { acted: string[] }).acted).toHaveLength(3);
    await until(() => ['g1', 'g2', 'g3'].every((parcel) => shop.done.includes(`packed ${parcel}`)));
    expect((await get<Page<object>>('dead-letters/groups')).items).not.toContainEqual(expect.objectContaining(group));
    expect((await get<Page<object>>('audit?action=dead-letter.retry&limit=3')).items).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ reason: 'labels are back', actor: operator.userId }) as unknown),
    );
  });

  test('is discarded as a whole, with a reason', async () => {
    const drill = { ...group, error_class: 'Error: no paper for parcel …' };
    expect(await shop.ask('POST', 'dead-letters/discard', { body: drill })).toMatchObject({ status: 400 });
    const { body } = await shop.ask('POST', 'dead-letters/discard', { body: { ...drill, reason: 'a drill' } });
    expect(body).toMatchObject({ left: 0 });
    expect(await letters('state=discarded&error_class=' + encodeURIComponent(drill.error_class))).toHaveLength(2);
  });
});

describe('lists', () => {
  test('are filtered, and go on page by page without repeating or skipping', async () => {
    const all = (await letters()).map(({ letter_id }) => letter_id);
    const pages: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page<Letter> = await get(`dead-letters?limit=3${cursor && `&cursor=${cursor}`}`);
      pages.push(...page.items.map(({ letter_id }) => letter_id));
      cursor = page.next_cursor;
    }
    expect(pages).toEqual(all);
    expect(all.length).toBeGreaterThan(8);
    expect((await letters('source=deadline')).every(({ name }) => name === 'shop.reminder')).toBe(true);
    expect(await letters('name=nothing')).toEqual([]);
  });

  test('are for operators only', async () => {
    for (const path of ['dead-letters', 'dead-letters/groups', 'dead-letters/1', 'audit'])
      expect(await shop.ask('GET', path, { as: 'buyer' })).toMatchObject({ status: 403 });
  });
});

test('the audit can be added to, and neither changed nor emptied, not even by the service', async () => {
  const { sql } = shop.core;
  const [before] = await sql`select count(*) as n from audit`;
  expect(before!['n']).toBeGreaterThan(5);
  await expect(sql`update audit set actor = 'somebody else'`).rejects.toThrow('append-only');
  await expect(sql`delete from audit where id = 1`).rejects.toThrow('append-only');
  await expect(sql`truncate audit`).rejects.toThrow('append-only');
  expect(await sql`select count(*) as n from audit`).toEqual([before]);
});
