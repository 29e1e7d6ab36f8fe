import { cp, rm } from 'node:fs/promises';
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

/** Messages of a stream as they lie on the disk, apart from what its consumers remember. */
const messagesOf = (stream: StreamName) => join(dirname(nats.log), 'store', 'jetstream', '$G', 'streams', stream, 'msgs');

/** The server is stopped, and started with the messages that the stream had then, while its consumers remember what they had seen since. */
async function rollBack(stream: StreamName, during: () => Promise<unknown>): Promise<void> {
  const kept = join(dirname(nats.log), `kept-${stream}`);
  await nats.stop();
  await cp(messagesOf(stream), kept, { recursive: true });
  await nats.restart();
  await during();
  await nats.stop();
  await rm(messagesOf(stream), { recursive: true });
  await cp(kept, messagesOf(stream), { recursive: true });
  await nats.restart();
}

it.each([
  { stream: 'EVT', mine: 'evt.rolled.back', others: 'evt.rolled.elsewhere' },
  { stream: 'CMD', mine: 'cmd.rolled.back', others: 'cmd.elsewhere.back' },
] as const)('a consumer of $stream that remembers more than a power cut has left skips nothing, and gets nothing of others', async (of) => {
  const { stream, mine, others } = of;
  const heard: string[] = [];
  const consuming = { stream, durable: `rolled-${stream}`, filters: [mine] };
  const listen = () =>
    consume(
      { nc, jsm },
      consuming,
      (message) => {
        heard.push(`${message.subject} ${message.string()}`);
        message.ack();
      },
      () => undefined,
    );
  const publish = async (subject: string, names: readonly string[]) => {
    for (const name of names)
      await until(() =>
        jetstream(nc)
          .publish(subject, name)
          .then(() => true),
      );
  };
  const numbered = (word: string, count: number) => Array.from({ length: count }, (_, nth) => `${word} ${nth}`);
  const all = (word: string, count: number) => numbered(word, count).every((name) => heard.includes(`${mine} ${name}`));

  const listening = listen();
  await publish(mine, numbered('early', 5));
  await until(() => all('early', 5));
  await rollBack(stream, async () => {
    await publish(mine, numbered('lost', 20));
    await until(() => all('lost', 20));
  });
  await publish(others, numbered('not mine', 5));
  await publish(mine, numbered('new', 10));
  await until(() => all('new', 10), { what: 'what came after the loss is heard' });
  expect(heard.filter((one) => one.startsWith(others))).toEqual([]);
  await listening.stop();
});
