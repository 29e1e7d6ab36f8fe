import { request as httpRequest, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { eventStream, frame, streamEvents, type EventSource, type StreamLimits } from './events.ts';
import { httpServer, type HttpServer, type Routes } from './server.ts';
import { buyer, testIssuer } from './testing.ts';

const issuer = await testIssuer();
const running: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

async function serve(source: EventSource, limits: Partial<StreamLimits> = {}): Promise<{ server: HttpServer; url: string }> {
  const routes: Routes = async (app) =>
    void app.get('/v1/events', { config: { access: ['buyer'] }, schema: { response: { 200: eventStream } } }, (request, reply) =>
      streamEvents(request, reply, source, limits),
    );
  const server = await httpServer({ name: 'test', routes: [routes], auth: issuer.auth });
  running.push(server);
  return { server, url: `${await server.listen({ port: 0, host: '127.0.0.1' })}/v1/events` };
}

async function open(url: string, headers: Record<string, string> = {}, expiresInS = 600): Promise<IncomingMessage> {
  const authorization = `Bearer ${await issuer.token(buyer, { expiresInS })}`;
  const [response] = (await once(httpRequest(url, { headers: { authorization, ...headers } }).end(), 'response')) as [IncomingMessage];
  return response.setEncoding('utf8');
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

const waitFor = (signal: AbortSignal) => once(signal, 'abort');

test('an event is framed so that no text can add lines of its own', () => {
  expect(frame({ id: '7', event: 'status', data: { text: 'a\n\nid: 9' } })).toBe('id: 7\nevent: status\ndata: {"text":"a\\n\\nid: 9"}\n\n');
  expect(frame({ id: 'a\nevent: x', data: undefined })).toBe('id: a event: x\ndata: null\n\n');
});

test('events come in order, and the stream ends with its source', async () => {
  const { url } = await serve(async function* () {
    yield { id: '1', event: 'status', data: 'processing' };
    yield { id: '2', event: 'status', data: 'completed' };
  });
  const response = await open(url);
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  expect(await textOf(response)).toBe(
    'retry: 2000\n\nid: 1\nevent: status\ndata: "processing"\n\nid: 2\nevent: status\ndata: "completed"\n\n',
  );
});

test('a client that comes back says what it saw last', async () => {
  const { url } = await serve(async function* ({ lastEventId }) {
    yield { data: { after: lastEventId ?? null } };
  });
  expect(await textOf(await open(url, { 'last-event-id': '41' }))).toContain('{"after":"41"}');
  expect(await textOf(await open(url))).toContain('{"after":null}');
});

test('a quiet stream is kept open by heartbeats', async () => {
  const { url } = await serve(
    async function* ({ signal }) {
      await waitFor(signal);
      yield { data: 'never' };
    },
    { heartbeatMs: 10 },
  );
  const response = await open(url);
  let text = '';
  while (!text.includes(': still here')) text += String((await once(response, 'data'))[0]);
  expect(text).toMatch(/^retry: 2000\n\n(: still here\n\n)+$/);
  response.destroy();
});

test('the source is told when its client goes', async () => {
  let gone = (): void => undefined;
  const told = new Promise<void>((resolve) => (gone = resolve));
  const { url, server } = await serve(async function* ({ signal }) {
    yield { data: 'hello' };
    await waitFor(signal);
    gone();
  });
  const response = await open(url);
  await once(response, 'data');
  expect(server.app.eventStreams.size).toBe(1);
  response.destroy();
  await told;
});

test('a stream ends when the server stops, when its time is over and when its token expires', async () => {
  const forever: EventSource = async function* ({ signal }) {
    yield { data: 'hello' };
    await waitFor(signal);
  };
  const stopping = await serve(forever);
  const stopped = textOf(await open(stopping.url));
  await Promise.all([stopped, stopping.server.stop()]);
  expect(await textOf(await open((await serve(forever, { durationMsMax: 30 })).url))).toContain('hello');
  expect(await textOf(await open((await serve(forever)).url, {}, -4))).toContain('hello');
});

test('an account has a limited number of streams, and a closed one makes room', async () => {
  const { url, server } = await serve(
    async function* ({ signal }) {
      yield { data: 'hello' };
      await waitFor(signal);
    },
    { streamsPerAccountMax: 1 },
  );
  const first = await open(url);
  const refused = await open(url);
  expect(refused.statusCode).toBe(429);
  expect(JSON.parse(await textOf(refused))).toMatchObject({ code: 'too-many-streams' });
  first.destroy();
  await expect.poll(() => server.app.eventStreams.size).toBe(0);
  const again = await open(url);
  expect(again.statusCode).toBe(200);
  again.destroy();
});

test('a source that breaks ends its stream and nothing else', async () => {
  const { url } = await serve(async function* () {
    yield { data: 'hello' };
    throw new Error('broken');
  });
  expect(await textOf(await open(url))).toMatch(/hello"\n\n$/);
  expect((await open(url)).statusCode).toBe(200);
});
