import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { connect } from '@yunshi/db/connect';
import { egress } from '@yunshi/protocols/egress';
import type { Answer } from '@yunshi/protocols/egress';
import {
  createInstance,
  destroyInstance,
  expireInstance,
  flowQuery,
  flowSetting,
  renewInstance,
  verifyInterface,
} from '@yunshi/protocols/saas/actions';
import type { SaasRequest, Subject, Terms } from '@yunshi/protocols/saas/actions';
import { signedUrl } from '@yunshi/protocols/saas/address';
import { readConsent, readCreated, readEcho, readFlow } from '@yunshi/protocols/saas/answers';
import { stamp } from '@yunshi/protocols/saas/signature';
import { verifyTc3 } from '@yunshi/protocols/tencent-cloud/tc3';
import { testDatabase } from '@yunshi/testing/database';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { providerSandbox } from './plugin.ts';

const database = await testDatabase('sandbox');
const sql = connect({ url: database.url, name: 'test', connectionsMax: 4 });
const app = fastify();
const wall = Date.now();
let site = '';
let door = egress({ development: false, allowed: [] });
const token = 'demo-token-0001';
const provider = 'prv_sandboxed';

beforeAll(async () => {
  const migrationsFolder = fileURLToPath(new URL('../../migrations/provider', import.meta.url));
  for (const migration of readMigrationFiles({ migrationsFolder })) for (const statement of migration.sql) await sql.unsafe(statement);
  await app.register(providerSandbox, { sql, wallNow: () => new Date(wall), tokenOf: (id) => (id === provider ? token : 'another-token') });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  site = `${url}/sandbox/provider/${provider}`;
  door = egress({ development: true, allowed: [new URL(url).host] });
});
afterAll(async () => {
  await door.close();
  await app.close();
  await sql.end();
});
beforeEach(async () => {
  await fetch(`${site}/script/clear`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
});

const subject: Subject = { accountId: 'acc_1', requestId: 'r-1', productId: 1024, resourceId: 'market-1' };
const terms: Terms = { productName: '云表单', trial: false, spec: '专业版', span: 1, unit: 'y', quantity: 1 };
let orders = 0;
const newOrder = () => `ord_${++orders}`;

const call = (body: SaasRequest, signedAtMs = wall): Promise<Answer> =>
  door.send({
    method: 'POST',
    url: signedUrl(`${site}/deliver`, token, stamp(signedAtMs, randomInt)),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    timeoutMsMax: 2_000,
    bytesMax: 65_536,
  });

const text = (answer: Answer): string => (answer.kind === 'answered' ? answer.body : `no answer: ${JSON.stringify(answer)}`);
const create = async (orderId: string) => readCreated(text(await call(createInstance(subject, { orderId, terms }))));
async function created(orderId: string) {
  const answer = await create(orderId);
  if (answer.kind !== 'delivered') throw new Error(`not delivered: ${JSON.stringify(answer)}`);
  return answer;
}
const script = (body: object) =>
  fetch(`${site}/script`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'createInstance', ...body }),
  });
const instancesOf = async (orderId: string): Promise<{ signId: string; status: string; expiresAt: string }[]> => {
  const response = await fetch(`${site}/instances?order_id=${orderId}`);
  return ((await response.json()) as { items: { signId: string; status: string; expiresAt: string }[] }).items;
};

describe('a genuine call', () => {
  test('of verifyInterface gets its words back', async () => {
    expect(readEcho(text(await call(verifyInterface('r', '茶'))), '茶')).toEqual({ kind: 'echoed' });
  });

  test('of createInstance delivers account, website and single-sign-on address', async () => {
    const answer = await created(newOrder());
    expect(answer.warnings).toEqual([]);
    expect(answer.website).toBe(`${site}/app`);
    expect(answer.authUrl).toContain(`${site}/sso?`);
    expect(answer.additional.map(({ name }) => name)).toEqual(['账号', '初始密码']);
  });

  test('of createInstance makes one instance for an order, however often and how closely it is asked', async () => {
    const orderId = newOrder();
    const answers = await Promise.all(Array.from({ length: 8 }, () => created(orderId)));
    expect(new Set(answers.map(({ signId }) => signId)).size).toBe(1);
    expect(await instancesOf(orderId)).toHaveLength(1);
  });

  test('of renew, expire and destroy moves the instance on, repeatedly without harm', async () => {
    const orderId = newOrder();
    const { signId } = await created(orderId);
    const renew = renewInstance(subject, { orderId: newOrder(), signId, expires: new Date('2027-01-01T00:00:00+08:00'), terms });
    for (const body of [expireInstance(subject, signId), expireInstance(subject, signId)]) {
      expect(readConsent(text(await call(body)))).toMatchObject({ kind: 'agreed' });
    }
    expect(await instancesOf(orderId)).toMatchObject([{ status: 'isolated' }]);
    expect(readConsent(text(await call(renew)))).toMatchObject({ kind: 'agreed' });
    expect(await instancesOf(orderId)).toMatchObject([{ status: 'active', expiresAt: '2027-01-01 00:00:00' }]);
    for (let time = 0; time < 2; time++) {
      expect(readConsent(text(await call(destroyInstance(subject, { orderId, signId }))))).toMatchObject({ kind: 'agreed' });
    }
    expect(await instancesOf(orderId)).toMatchObject([{ status: 'reclaimed' }]);
    expect(readConsent(text(await call(renew)))).toEqual({ kind: 'declined' });
  });

  test('of destroyInstance may name only the order, when no signId was ever heard', async () => {
    const orderId = newOrder();
    await created(orderId);
    expect(readConsent(text(await call(destroyInstance(subject, { orderId, signId: '0' }))))).toMatchObject({ kind: 'agreed' });
    expect(await instancesOf(orderId)).toMatchObject([{ status: 'reclaimed' }]);
    expect(await create(orderId)).toMatchObject({ kind: 'unreadable' });
  });

  test('of flowQuery is declined where nothing is metered', async () => {
    const { signId } = await created(newOrder());
    expect(readFlow(text(await call(flowQuery(subject, signId))))).toEqual({ kind: 'declined' });
  });

  test('may come without a content type, as in the protocol’s own examples', async () => {
    const answer = await door.send({
      method: 'POST',
      url: signedUrl(`${site}/deliver`, token, stamp(wall, randomInt)),
      body: JSON.stringify(verifyInterface('r', 'tea')),
      timeoutMsMax: 2_000,
      bytesMax: 65_536,
    });
    expect(readEcho(text(answer), 'tea')).toEqual({ kind: 'echoed' });
  });
});

describe('a call is refused', () => {
  test('when its signature is older than thirty seconds', async () => {
    expect(await call(verifyInterface('r', 'x'), wall - 29_000)).toMatchObject({ status: 200 });
    expect(await call(verifyInterface('r', 'x'), wall - 32_000)).toMatchObject({ status: 403, body: '{"error":"signature stale"}' });
  });

  test('when it is signed with another token', async () => {
    const other = site.replace(provider, 'prv_other');
    const answer = await door.send({
      method: 'POST',
      url: signedUrl(`${other}/deliver`, token, stamp(wall, randomInt)),
      body: JSON.stringify(verifyInterface('r', 'x')),
      timeoutMsMax: 2_000,
      bytesMax: 65_536,
    });
    expect(answer).toMatchObject({ status: 403, body: '{"error":"signature forged"}' });
  });

  test('when its body is not of the protocol', async () => {
    expect(await call({ action: 'createInstance' } as SaasRequest)).toMatchObject({ status: 400 });
  });
});

describe('a script', () => {
  test('answers "0" as often as told, then delivers', async () => {
    const orderId = newOrder();
    await script({ behaviour: 'pending', times: 2 });
    expect(await create(orderId)).toEqual({ kind: 'pending' });
    expect(await create(orderId)).toEqual({ kind: 'pending' });
    expect(await instancesOf(orderId)).toEqual([]);
    expect(await create(orderId)).toMatchObject({ kind: 'delivered' });
  });

  test.each([
    ['error', { kind: 'answered', status: 200, body: '{"error":"out of stock"}' }],
    ['status-500', { kind: 'answered', status: 500 }],
    ['garbage', { kind: 'answered', status: 200 }],
    ['redirect', { kind: 'failed', failure: 'redirect' }],
    ['huge', { kind: 'failed', failure: 'too-large' }],
    ['hang-up', { kind: 'failed', failure: 'reset', sent: true }],
    ['timeout', { kind: 'failed', failure: 'timeout', sent: true }],
  ])('plays «%s» without making an instance', async (behaviour, expected) => {
    const orderId = newOrder();
    await script({ behaviour, times: 1 });
    expect(await call(createInstance(subject, { orderId, terms }))).toMatchObject(expected);
    expect(await instancesOf(orderId)).toEqual([]);
  });

  test('may make the instance and lose the answer; asking again brings the same one', async () => {
    const orderId = newOrder();
    await script({ behaviour: 'lost-answer', times: 1 });
    expect(await call(createInstance(subject, { orderId, terms }))).toMatchObject({ kind: 'failed', failure: 'reset', sent: true });
    const [made] = await instancesOf(orderId);
    expect(await created(orderId)).toMatchObject({ signId: made?.signId });
  });

  test('may hold for one product only, and for ever', async () => {
    await script({ behaviour: 'status-500', product_number: 7 });
    for (let time = 0; time < 3; time++) {
      expect(await call(createInstance({ ...subject, productId: 7 }, { orderId: newOrder(), terms }))).toMatchObject({ status: 500 });
    }
    expect(await create(newOrder())).toMatchObject({ kind: 'delivered' });
  });

  test('that nobody knows is refused', async () => {
    expect((await script({ behaviour: 'explode' })).status).toBe(422);
  });
});

describe('the pages', () => {
  test('open the application by single sign-on, and only with the right ticket', async () => {
    const { authUrl, signId } = await created(newOrder());
    const opened = await fetch(authUrl ?? '');
    expect(opened.status).toBe(200);
    expect(await opened.text()).toContain('您已登录');
    expect((await fetch(`${site}/sso?sign_id=${signId}&ticket=guess`)).status).toBe(403);
  });

  test('open the application with the delivered account and password', async () => {
    const { additional } = await created(newOrder());
    const [login, password] = additional.map(({ value }) => value);
    const enter = (secret: string) =>
      fetch(`${site}/app`, { method: 'POST', body: new URLSearchParams({ login: login ?? '', password: secret }) });
    expect(await (await enter(password ?? '')).text()).toContain('您已登录');
    expect((await enter('guess')).status).toBe(401);
    expect((await fetch(`${site}/app`)).status).toBe(200);
  });

  test('say that an expired instance is isolated', async () => {
    const { authUrl, signId } = await created(newOrder());
    await call(expireInstance(subject, signId));
    expect(await (await fetch(authUrl ?? '')).text()).toContain('隔离');
  });

  test('show the provider’s instances and the calls it got, with nothing a caller sent left unescaped', async () => {
    const orderId = newOrder();
    await call(createInstance(subject, { orderId, terms: { ...terms, productName: '<img src=x onerror=alert(1)>' } }));
    const desk = await (await fetch(`${site}/`)).text();
    expect(desk).toContain(orderId);
    expect(desk).toContain('&lt;img src=x');
    expect(desk).not.toContain('<img');
    expect(await (await fetch(site.replace(`/${provider}`, ''))).text()).toContain(provider);
  });

  test('take scripts from a form', async () => {
    const form = new URLSearchParams({ action: 'createInstance', behaviour: 'pending', times: '', product_number: '' });
    const answer = await fetch(`${site}/script`, { method: 'POST', body: form, redirect: 'manual' });
    expect(answer.status).toBe(303);
    expect(await (await fetch(`${site}/`)).text()).toContain('一直');
    expect(await create(newOrder())).toEqual({ kind: 'pending' });
  });
});

describe('what is metered', () => {
  const metered: Terms = { ...terms, flow: { span: '2', unit: 'Gb' }, quantity: 2 };
  const made = async () => {
    const orderId = newOrder();
    const answer = readCreated(text(await call(createInstance(subject, { orderId, terms: metered }))));
    if (answer.kind !== 'delivered') throw new Error(answer.kind);
    return { orderId, signId: answer.signId };
  };
  const flowOf = async (signId: string) => readFlow(text(await call(flowQuery(subject, signId))));
  const use = async (signId: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${site}/instances/${signId}/usage`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const set = async (signId: string, warnSpan: string, warnUnit: string, on = true) =>
    readConsent(text(await call(flowSetting(subject, { signId, warnSpan, warnUnit, on })))).kind;

  test('is counted for each piece that was bought, by so much or up to so much', async () => {
    const { signId } = await made();
    expect(await flowOf(signId)).toEqual({ kind: 'measured', total: '4', used: '0', unit: 'Gb' });
    expect(await use(signId, { add: 1.5 })).toMatchObject({
      status: 200,
      body: { used: '1.5', left: '2.5', is_due: false, reminded: null },
    });
    expect(await use(signId, { add: 0.25 })).toMatchObject({ body: { used: '1.75' } });
    expect(await use(signId, { to: 9 })).toMatchObject({ body: { used: '9', left: '0' } });
    expect(await flowOf(signId)).toMatchObject({ used: '9' });
    expect(await use('s-of-nobody', { add: 1 })).toMatchObject({ status: 404 });
  });

  test('is used by hand on the provider’s own page, which then shows it', async () => {
    const { signId } = await made();
    const page = await (await fetch(`${site}/`)).text();
    const action = new RegExp(`action="(instances/${signId}/usage)"`).exec(page)?.[1];
    const posted = await fetch(`${site}/${action}`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ add: '1.5' }) });
    expect(posted.status).toBe(303);
    const shown = await fetch(new URL(posted.headers.get('location')!, posted.url));
    expect(await shown.text()).toContain('1.5 / 4 Gb');
  });

  test('begins anew with a renewal, however often that is told', async () => {
    const { orderId, signId } = await made();
    const renew = () => call(renewInstance(subject, { orderId, signId, expires: new Date('2027-01-01T00:00:00+08:00'), terms: metered }));
    await use(signId, { to: 3 });
    await renew();
    expect(await flowOf(signId)).toEqual({ kind: 'measured', total: '2', used: '0', unit: 'Gb' });
    await use(signId, { to: 1 });
    await renew();
    expect(await flowOf(signId)).toMatchObject({ used: '1' });
  });

  test('is told to the marketplace when little is left, once it has been heard, and not when that is switched off', async () => {
    const heard: { headers: Record<string, unknown>; body: string }[] = [];
    let says: object = { Error: { Code: 'InternalError', Message: 'not now' } };
    const marketplace = fastify();
    marketplace.removeAllContentTypeParsers();
    marketplace.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    marketplace.post('/', async (request) => {
      heard.push({ headers: request.headers, body: String(request.body) });
      return { Response: { ...says, RequestId: 'r' } };
    });
    const endpoint = await marketplace.listen({ host: '127.0.0.1', port: 0 });
    const { signId } = await made();
    expect(await set(signId, '5', 'h')).toBe('declined');
    expect(await set(signId, '512', 'Mb')).toBe('agreed');
    expect(await use(signId, { to: 3.4 })).toMatchObject({ body: { is_due: false } });
    expect(await use(signId, { to: 3.5 })).toMatchObject({ body: { is_due: true, reminded: { ok: false } } });
    const key = { secret_id: 'AKID', secret_key: 'secret', endpoint };
    const headers = { 'content-type': 'application/json' };
    expect((await fetch(`${site}/cloud-key`, { method: 'PUT', headers, body: JSON.stringify(key) })).status).toBe(204);
    expect(await use(signId, { add: 0.1 })).toMatchObject({ body: { reminded: { ok: false, why: 'InternalError: not now' } } });
    says = { Success: 'true', FlowId: 'f-1' };
    expect(await use(signId, { add: 0.1 })).toMatchObject({ body: { reminded: { ok: true, flowId: 'f-1' } } });
    expect(await use(signId, { add: 0.1 })).toMatchObject({ body: { is_due: false } });
    expect(await set(signId, '512', 'Mb', false)).toBe('agreed');
    expect(await use(signId, { add: 0.1 })).toMatchObject({ body: { is_due: false } });

    const call = heard.at(-1)!;
    expect(JSON.parse(call.body)).toEqual({
      ProviderUin: provider,
      SignId: signId,
      ResourceId: subject.resourceId,
      TotalFlow: '4',
      LeftFlow: '0.3',
      FlowUnit: 'Gb',
    });
    const wire = Object.fromEntries(Object.entries(call.headers).map(([name, value]) => [name, String(value)]));
    const verdict = verifyTc3({ method: 'POST', path: '/', query: '', headers: wire, body: call.body }, () => 'secret', wall);
    expect(verdict).toMatchObject({ ok: true, secretId: 'AKID', service: 'market' });
    await marketplace.close();
  });
});
