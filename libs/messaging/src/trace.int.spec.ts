import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '@yunshi/kernel/ids';
import { startTelemetry, stopTelemetry } from '@yunshi/telemetry/sdk';
import { withRemoteParent } from '@yunshi/telemetry/trace';
import { startCollector } from '@yunshi/testing/collector';
import { testDatabase } from '@yunshi/testing/database';
import { ownNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { placeBooking, startDesk, startHall } from '../fixtures/theatre.ts';
import type { Core } from './core.ts';

const collector = await startCollector();
const database = await testDatabase('desk', 'hall');
const nats = await ownNats();
let desk: Core;
let hall: Core;

beforeAll(async () => {
  Object.assign(process.env, collector.env('theatre'));
  await startTelemetry(process.env);
  const servers = (service: string) => ({ databaseUrl: database.urlOf(service), natsUrl: nats.url });
  [desk, hall] = await Promise.all([startDesk(servers('desk')), startHall(servers('hall'), () => Promise.resolve({ row: 7 }))]);
  await Promise.all([desk.run(), hall.run()]);
});
afterAll(async () => {
  await Promise.all([desk.stop(), hall.stop()]);
  await stopTelemetry();
  await collector.stop();
});

const traceId = '0af7651916cd43dd8448eb211c80319c';
const book = (seat: string, traceparent: string) =>
  withRemoteParent(traceparent, () => desk.write(placeBooking, { id: `b-${seat}`, seat, saga: newId('sag', new Date()) }));

test('a saga is one trace, from the write that starts it through outbox, stream and outside call to its last step', async () => {
  await book('A1', `00-${traceId}-b7ad6b7169203331-01`);
  const process = (name: string) =>
    ({ name: `process ${name}`, kind: 'consumer', attributes: { 'messaging.system.name': 'nats' } }) as const;
  const publish = (name: string) =>
    ({ name: `publish ${name}`, kind: 'producer', attributes: { 'messaging.operation.type': 'send' } }) as const;
  const [hold, take, reply] = ['cmd.hall.hold.v1', 'cmd.hall.take.v1', 'rpl.desk'];
  const path = [
    { name: 'write place booking' },
    publish(hold!),
    process(hold!),
    publish(reply!),
    process(reply!),
    publish(take!),
    process(take!),
    { name: 'call hall.usher' },
    { name: 'outcome hall.usher' },
    publish(reply!),
    process(reply!),
    publish('cmd.desk.close.v1'),
    process('cmd.desk.close.v1'),
  ];
  const trace = await collector.traceWhen(traceId, ({ hasPath }) => hasPath(...path));
  expect(trace.roots).toHaveLength(1);
});

test('a transaction is one span below the work it carried out, whatever the number of its statements', async () => {
  const id = '1'.repeat(32);
  await book('A2', `00-${id}-b7ad6b7169203331-01`);
  const trace = await collector.traceWhen(id, ({ hasSpan }) => hasSpan({ name: 'process evt.hall.taken.v1' }));
  const write = trace.find({ name: 'write place booking' })!;
  // Where other work shared the transaction and came first, the span stands below that, and is linked.
  const transactions = collector
    .spans()
    .filter(
      ({ name, parentId, links }) =>
        name === 'transaction' && (parentId === write.spanId || links.some(({ spanId }) => spanId === write.spanId)),
    );
  expect(transactions).toMatchObject([{ kind: 'client', attributes: { 'db.system.name': 'postgresql' } }]);
});

test('what nobody samples leaves no span behind', async () => {
  const quiet = '2'.repeat(32);
  await book('A3', `00-${quiet}-b7ad6b7169203331-00`);
  await until(async () => (await desk.sql`select 1 from bookings where id = 'b-A3' and status = 'done'`).length === 1);
  const later = '3'.repeat(32);
  await book('A4', `00-${later}-b7ad6b7169203331-01`);
  await collector.traceWhen(later, ({ hasSpan }) => hasSpan({ name: 'process evt.hall.taken.v1' }));
  expect(collector.trace(quiet).spans).toEqual([]);
});

test('what waits in a service is told: consumers, outbox, sagas, calls, dead letters', async () => {
  await hall.sql`insert into outbox (id, subject, body, created_at) values ('018f0000-0000-7000-8000-000000000001', 'nowhere', '{}', now() - interval '1 hour')`;
  await desk.sql`
    insert into dead_letters (source, name, subject, message_id, body, headers, error, error_class, attempts, state)
    values ('message', 'cmd.desk.close.v1', null, null, '', '{}', 'Error: no', 'Error: no', 5, 'open')`;
  await until(() => collector.points('yunshi.outbox.oldest.age').some(({ value }) => value >= 3_600), { what: 'the old row is seen' });
  const value = (metric: string, attributes = {}) =>
    collector.points(metric).find((point) => Object.entries(attributes).every(([name, wanted]) => point.attributes[name] === wanted))
      ?.value;
  await until(() => value('yunshi.dead_letters', { 'yunshi.source': 'message' }) === 1);
  expect(value('yunshi.consumer.pending', { 'messaging.consumer.group.name': 'hall-commands' })).toBe(0);
  expect(value('yunshi.consumer.redelivered', { 'messaging.consumer.group.name': 'desk-replies' })).toBe(0);
  expect(value('yunshi.saga.duration', { 'yunshi.saga.name': 'booking', 'yunshi.saga.outcome': 'completed' })).toBe(4);
  expect(value('yunshi.sagas.past_deadline')).toBe(0);
  expect(value('yunshi.calls.oldest.age')).toBe(0);
  expect(value('yunshi.batch.size')).toBeGreaterThan(10);
  expect(value('messaging.process.duration', { 'messaging.destination.name': 'cmd.hall.hold.v1' })).toBe(4);
});
