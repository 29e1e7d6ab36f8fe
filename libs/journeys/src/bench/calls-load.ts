import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';

// Callers of an API product: as many at a time as there are connections, or a rate at which calls begin however the gateway is doing.

export type LoadAsk = {
  readonly url: string;
  readonly path: string;
  readonly secretId: string;
  readonly secret: string;
  readonly seconds: number;
  readonly how: { readonly connections: number } | { readonly perS: number };
};
export type LoadTold = { readonly calls: number; readonly failed: number; readonly wallMs: number; readonly ms: readonly number[] };

const connectionsMax = 128;
const payload = JSON.stringify({ question: 'y'.repeat(200) });

/** Signed anew each second, so that signing is no part of what is measured. */
function signed({ secretId, secret }: LoadAsk): () => Record<string, string> {
  let at = 0;
  let headers: Record<string, string> = {};
  return () => {
    const second = Math.floor(Date.now() / 1_000);
    if (second === at) return headers;
    at = second;
    const date = new Date(second * 1_000).toUTCString();
    const signature = createHmac('sha1', secret).update(`x-date: ${date}\nx-source: market`).digest('base64');
    const authorization = `hmac id="${secretId}", algorithm="hmac-sha1", headers="x-date x-source", signature="${signature}"`;
    headers = { 'x-date': date, 'x-source': 'market', authorization, 'content-type': 'application/json' };
    return headers;
  };
}

async function load(ask: LoadAsk): Promise<LoadTold> {
  const { how, seconds } = ask;
  const pool = new Pool(ask.url, { connections: 'connections' in how ? how.connections : connectionsMax, pipelining: 1 });
  const headers = signed(ask);
  const ms: number[] = [];
  let failed = 0;
  const call = async (fromMs: number): Promise<void> => {
    try {
      const { statusCode, body } = await pool.request({ method: 'POST', path: ask.path, headers: headers(), body: payload });
      await body.dump();
      if (statusCode !== 200) failed++;
      else ms.push(performance.now() - fromMs);
    } catch {
      failed++;
    }
  };
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  if ('connections' in how) {
    const caller = async () => {
      while (performance.now() < endMs) await call(performance.now());
    };
    await Promise.all(Array.from({ length: how.connections }, caller));
  } else {
    const running: Promise<void>[] = [];
    // What should have begun counts from then: a gateway that stalls does not make its callers wait unseen.
    for (let nth = 0; nth < how.perS * seconds;) {
      const dueMs = startMs + (nth * 1_000) / how.perS;
      if (dueMs <= performance.now()) {
        running.push(call(dueMs));
        nth++;
      } else await pause(1);
    }
    await Promise.all(running);
  }
  const wallMs = performance.now() - startMs;
  await pool.close();
  return { calls: ms.length, failed, wallMs, ms };
}

process.on('message', (ask: LoadAsk) => void load(ask).then((told) => process.send?.(told)));
