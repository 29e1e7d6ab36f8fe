import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { startCollector, type Collector } from '@yunshi/testing/collector';
import { until } from '@yunshi/testing/until';

const node = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url));
const register = fileURLToPath(new URL('./register.ts', import.meta.url));
const program = fileURLToPath(new URL('../fixtures/relay-service.ts', import.meta.url));

type Started = { readonly url: string; readonly lines: Record<string, unknown>[]; readonly child: ChildProcess };
const children: ChildProcess[] = [];
const collectors: Collector[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) await ended(child);
  for (const collector of collectors.splice(0)) await collector.stop();
});

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

async function start(service: string, { behind = '', env = {} }: { behind?: string; env?: Record<string, string> } = {}): Promise<Started> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_')));
  const child = spawn(node, ['--import', register, program, JSON.stringify({ behind, service })], {
    env: { ...inherited, NODE_ENV: 'development', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  const ready = await until(() => lines.find((line) => line['msg'] === 'ready'), { what: `${service} says that it is ready` });
  return { url: String(ready['url']), lines, child };
}

const order = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/orders/ord_1?sign=abc`, {
    method: 'POST',
    body: '{"quantity":1}',
    headers: { 'content-type': 'application/json', ...headers },
  }).then(async (response) => (await response.json()) as { traceparent: string | null; traces: string[] });

async function collector(): Promise<Collector> {
  const started = await startCollector();
  collectors.push(started);
  return started;
}

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

describe('with a collector', () => {
  test('one request through two services is one trace, with one server span and one client span a hop', async () => {
    const to = await collector();
    const back = await start('back', { env: to.env('back') });
    const front = await start('front', { behind: back.url, env: to.env('front') });

    const { traces } = await order(front.url, { traceparent });
    expect(traces).toEqual([traceId, traceId]);

    const trace = await to.traceWhen(traceId, ({ spans }) => spans.length >= 5);
    expect(trace.spans.map((span) => `${span.service} ${span.kind} ${span.name}`).toSorted()).toEqual([
      'back internal decide',
      'back server POST /orders/:id',
      'front client POST',
      'front internal decide',
      'front server POST /orders/:id',
    ]);
    expect(trace.roots).toHaveLength(1);
    expect(
      trace.hasPath(
        { service: 'front', kind: 'server', attributes: { 'http.route': '/orders/:id', 'http.response.status_code': 200 } },
        { service: 'front', name: 'decide', attributes: { 'yunshi.order': 'ord_1' } },
        { service: 'front', kind: 'client', attributes: { 'http.request.method': 'POST', 'server.address': '127.0.0.1' } },
        { service: 'back', kind: 'server' },
      ),
    ).toBe(true);
  });

  test('queries stay out of traces, because signatures travel there', async () => {
    const to = await collector();
    const back = await start('back', { env: to.env('back') });
    const front = await start('front', { behind: back.url, env: to.env('front') });
    await order(front.url, { traceparent });
    const trace = await to.traceWhen(traceId, ({ spans }) => spans.length >= 5);
    expect(JSON.stringify(trace.spans.map(({ attributes }) => attributes))).not.toContain('sign=');
    expect(trace.find({ kind: 'client' })?.attributes['url.full']).toBe(`${back.url}/orders/ord_1`);
  });

  test('probes of health are not traced', async () => {
    const to = await collector();
    const service = await start('probed', { env: to.env('probed') });
    const probe = await fetch(`${service.url}/livez`, { headers: { traceparent } });
    expect(await probe.json()).toEqual({ trace: null });
    await order(service.url, { traceparent });
    const trace = await to.traceWhen(traceId, ({ spans }) => spans.length >= 2);
    expect(trace.hasSpan({ name: 'GET /livez' })).toBe(false);
  });

  test('a failure of the server marks its span, and is counted by route', async () => {
    const to = await collector();
    const service = await start('breaking', { env: to.env('breaking') });
    await fetch(`${service.url}/broken`, { headers: { traceparent } });
    await to.traceWhen(traceId, (trace) => trace.hasSpan({ name: 'GET /broken', failed: true, attributes: { 'error.type': '500' } }));
    const point = await until(() => to.points('http.server.request.duration')[0], { what: 'the request is counted' });
    expect(point).toMatchObject({
      service: 'breaking',
      value: 1,
      attributes: { 'http.route': '/broken', 'http.response.status_code': 500 },
    });
  });

  test('a server that only passes requests on can say which route they really take', async () => {
    const to = await collector();
    const service = await start('passing', { env: to.env('passing') });
    await fetch(`${service.url}/all/orders/ord_1`, { headers: { traceparent } });
    await to.traceWhen(traceId, (trace) => trace.hasSpan({ name: 'GET /all/orders', attributes: { 'http.route': '/all/orders' } }));
    const point = await until(() => to.points('http.server.request.duration')[0], { what: 'the request is counted' });
    expect(point.attributes['http.route']).toBe('/all/orders');
  });

  test('what has not been sent yet is sent before the process ends', async () => {
    const to = await collector();
    const service = await start('leaving', { env: { ...to.env('leaving'), OTEL_BSP_SCHEDULE_DELAY: '600000' } });
    await order(service.url, { traceparent });
    await ended(service.child);
    expect(to.trace(traceId).hasSpan({ kind: 'server', service: 'leaving' })).toBe(true);
  });

  test('nothing is sampled that the caller did not sample', async () => {
    const to = await collector();
    const service = await start('quiet', { env: to.env('quiet') });
    await order(service.url, { traceparent: traceparent.replace(/01$/, '00') });
    await order(service.url, { traceparent: `00-${'1'.repeat(32)}-b7ad6b7169203331-01` });
    await to.traceWhen('1'.repeat(32), ({ spans }) => spans.length === 2);
    expect(to.trace(traceId).spans).toEqual([]);
  });

  test('one trace in ten is recorded where nothing else is said', async () => {
    const to = await collector();
    const { OTEL_TRACES_SAMPLER: _, ...env } = to.env('sampling');
    const service = await start('sampling', { env });
    const { traces } = await order(service.url, { traceparent });
    expect(traces).toEqual([traceId]);
    const ids = await Promise.all(Array.from({ length: 300 }, () => order(service.url).then(({ traces: [id] }) => id)));
    await ended(service.child);
    const recorded = ids.filter((id) => to.trace(id!).spans.length > 0).length;
    expect(recorded).toBeGreaterThan(5);
    expect(recorded).toBeLessThan(75);
  });
});

describe('without a collector', () => {
  test('ids travel all the same, and logs carry them', async () => {
    const back = await start('back');
    const front = await start('front', { behind: back.url });
    const { traces } = await order(front.url, { traceparent });
    expect(traces).toEqual([traceId, traceId]);
    for (const { lines } of [front, back]) {
      expect(await until(() => lines.find((line) => line['msg'] === 'taken'))).toMatchObject({ trace_id: traceId });
    }
  });

  test('a request that comes without a trace begins one, and each begins its own', async () => {
    const back = await start('back');
    const front = await start('front', { behind: back.url });
    const [one, other] = [await order(front.url), await order(front.url)];
    expect(one.traces[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(one.traces[1]).toBe(one.traces[0]);
    expect(other.traces[0]).not.toBe(one.traces[0]);
    expect(one.traceparent).toMatch(new RegExp(`^00-${one.traces[0]}-[0-9a-f]{16}-00$`));
  });

  test('a malformed traceparent begins a new trace instead of failing the request', async () => {
    const { traces } = await order((await start('strict')).url, { traceparent: '00-xyz-01' });
    expect(traces[0]).toMatch(/^[0-9a-f]{32}$/);
  });
});
