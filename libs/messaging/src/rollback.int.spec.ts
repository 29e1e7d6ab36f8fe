import { cp, rm, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { jetstream } from '@nats-io/jetstream';
import { ownNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { connectBus, ensureStreams, managerOf, type StreamName } from './bus.ts';
import { consume } from './consume.ts';

const nats = await ownNats();
const nc = await connectBus(nats.url, 'rollback test');
afterAll(() => nc.close());
const jsm = await managerOf(nc);
await ensureStreams(jsm);

const folderOf = (stream: StreamName) => join(dirname(nats.log), 'store', 'jetstream', '$G', 'streams', stream);
/** Messages of a stream as they lie on the disk, apart from what its consumers remember. */
const messagesOf = (stream: StreamName) => join(folderOf(stream), 'msgs');

/**
 * The server is stopped, and started with the messages that the stream had then, while its consumers remember what they had seen since.
 * Those that are forgotten are unknown to the server, though what they had seen still lies there: their description was never synced.
 */
async function rollBack(stream: StreamName, during: () => Promise<unknown>, forgotten: readonly string[]): Promise<void> {
  const kept = join(dirname(nats.log), `kept-${stream}`);
  await nats.stop();
  await cp(messagesOf(stream), kept, { recursive: true });
  await nats.restart();
  await during();
  await nats.stop();
  await rm(messagesOf(stream), { recursive: true });
  await cp(kept, messagesOf(stream), { recursive: true });
  for (const durable of forgotten) await truncate(join(folderOf(stream), 'obs', durable, 'meta.inf'));
  await nats.restart();
}

it.each([
  { stream: 'EVT', known: 'evt.rolled.back', forgotten: 'evt.rolled.forgotten', others: 'evt.rolled.elsewhere' },
  { stream: 'CMD', known: 'cmd.rolled.back', forgotten: 'cmd.rolled.forgotten', others: 'cmd.rolled.elsewhere' },
] as const)('a consumer of $stream that remembers more than a power cut has left skips nothing, and gets nothing of others', async (of) => {
  const { stream, known, forgotten, others } = of;
  const heard: string[] = [];
  const durableOf = (subject: string) => subject.replaceAll('.', '-');
  const listen = (subject: string) =>
    consume(
      { nc, jsm },
      { stream, durable: durableOf(subject), filters: [subject] },
      (message) => {
        heard.push(`${subject} < ${message.subject} ${message.string()}`);
        message.ack();
      },
      () => undefined,
    );
  const mine = [known, forgotten];
  const publish = async (subjects: readonly string[], word: string, count: number) => {
    for (const name of numbered(word, count))
      for (const subject of subjects)
        await until(() =>
          jetstream(nc)
            .publish(subject, name)
            .then(() => true),
        );
  };
  const numbered = (word: string, count: number) => Array.from({ length: count }, (_, nth) => `${word} ${nth}`);
  const all = (word: string, count: number) =>
    mine.every((subject) => numbered(word, count).every((name) => heard.includes(`${subject} < ${subject} ${name}`)));

  const listening = mine.map(listen);
  await publish(mine, 'early', 5);
  await until(() => all('early', 5));
  await rollBack(stream, async () => {
    await publish(mine, 'lost', 20);
    await until(() => all('lost', 20));
  }, [durableOf(forgotten)]);
  await publish([others], 'not mine', 5);
  await publish(mine, 'new', 10);
  await until(() => all('new', 10), { what: 'what came after the loss is heard' });
  expect(heard.filter((one) => !mine.some((subject) => one.startsWith(`${subject} < ${subject} `)))).toEqual([]);
  await Promise.all(listening.map((one) => one.stop()));
});
