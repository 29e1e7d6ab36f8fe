import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { usedCalls } from '@yunshi/contracts/api-gateway';
import { jwtAuth, type Auth } from '@yunshi/http/auth';
import { httpServer } from '@yunshi/http/server';
import { addDays } from '@yunshi/kernel/calendar';
import { startCore, type Core } from '@yunshi/messaging/core';
import { answers } from '@yunshi/messaging/handle';
import { Problem as OperationProblem } from '@yunshi/operations/problems';
import { operationRoutes } from '@yunshi/operations/routes';
import { readiness } from '@yunshi/service/readiness';
import { vault } from '@yunshi/service/vault';
import { createLog, type Log } from '@yunshi/telemetry/log';
import { accessHandlers } from './access/handlers.ts';
import { keyRing } from './access/key-ring.ts';
import { upstreamMap } from './access/upstream-map.ts';
import { callLog } from './call/call-log.ts';
import { callRoutes } from './call/routes.ts';
import type { Config } from './config.ts';
import { callsBeside } from './forward/beside.ts';
import { plane } from './forward/plane.ts';
import { openJournal } from './meter/journal.ts';
import { ledgerIn } from './meter/ledger.ts';
import { metering } from './meter/metering.ts';
import { recover } from './meter/recovery.ts';
import { logPolicy, meterPolicy } from './policy.ts';
import { Problem } from './problems.ts';

export type Running = { readonly url: string; readonly core: Core; readonly stop: () => Promise<void> };

/** Checks, counts and forwards calls of API products. */
export async function start(config: Config, given: { readonly log?: Log; readonly auth?: Auth } = {}): Promise<Running> {
  const log = given.log ?? createLog({ service: 'api-gateway', level: config.logLevel });
  const onFault = (what: string, error: unknown): void => log.error({ err: error }, what);
  const core = await startCore({
    service: 'api-gateway',
    databaseUrl: config.databaseUrl,
    natsUrl: config.natsUrl,
    testClock: config.testClock,
    migrations: fileURLToPath(new URL('../migrations', import.meta.url)),
    handlers: () => accessHandlers,
    answerers: ({ sql }) => [answers(usedCalls, async ({ instanceId }) => ({ used: (await ledgerIn(sql).stateOf(instanceId)).used }))],
    onFault,
  });
  const { sql, clock } = core;
  await sql`analyze accesses, api_keys, upstreams, meters, leases, api_calls, api_call_counts`;
  const ledger = ledgerIn(sql);
  mkdirSync(config.journalDir, { recursive: true, mode: 0o700 });
  const journal = await openJournal(config.journalDir, randomBytes(6).toString('hex'));
  const recovering = { folder: config.journalDir, own: journal.holder, ledger, log };
  await recover(recovering);
  const wallMs = () => Date.now();
  const meters = metering({ ledger, journal, nowMs: () => performance.now(), pause: (ms) => pause(ms), onFault });
  const secrets = vault(config.encryptionKeys);
  const upstreams = upstreamMap({
    sql,
    vault: secrets,
    nowMs: () => performance.now(),
    rules: { development: config.development, allowed: config.sandboxUrl === undefined ? [] : [hostAndPort(config.sandboxUrl)] },
    sandboxUrl: config.sandboxUrl,
  });
  const calls = plane({
    keys: keyRing({ sql, vault: secrets, nowMs: () => performance.now() }),
    upstreams,
    metering: meters,
    wallMs,
    nowMs: () => clock.now().getTime(),
    onFault,
  });
  const counted = callLog(sql);
  const server = await httpServer({
    name: 'api-gateway',
    routes: [callRoutes({ log: counted, now: clock.now }), operationRoutes({ service: 'api-gateway', core })],
    auth: given.auth ?? jwtAuth(config.auth),
    ready: readiness(core),
    logger: log,
    problems: { ...Problem.entries, ...OperationProblem.entries },
  });
  callsBeside(server.app.server, calls);
  await core.run();
  meters.run();
  const stopLooking = every(meterPolicy.recoverEveryMs, () => recover(recovering), onFault);
  const stopSweeping = every(logPolicy.sweepEveryMs, () => sweep(counted, clock.now()), onFault);
  const url = await server.listen(config);
  log.info({ url }, 'ready');
  return {
    url,
    core,
    stop: async () => {
      stopLooking();
      stopSweeping();
      await server.stop();
      await meters.stop();
      await ledger.release(journal.holder);
      journal.remove();
      await upstreams.close();
      await core.stop();
    },
  };
}

async function sweep(log: ReturnType<typeof callLog>, now: Date): Promise<void> {
  while (await log.sweep(addDays(now, -logPolicy.keptDays)));
}

/** Again and again, one after the other, until it is stopped. */
function every(ms: number, work: () => Promise<void>, onFault: (what: string, error: unknown) => void): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  void (async () => {
    for (;;) {
      await pause(ms, undefined, { signal, ref: false });
      await work().catch((error: unknown) => onFault('looking after calls', error));
    }
  })().catch((error: unknown) => {
    if (!signal.aborted) onFault('looking after calls', error);
  });
  return () => stopped.abort();
}

function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}
