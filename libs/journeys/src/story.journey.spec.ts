import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tellStory } from '@yunshi/local/story/story';
import { voice } from '@yunshi/local/story/voice';
import { connect } from '@yunshi/db/connect';
import { startSystem, type System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import { violations } from './invariants.ts';

let dir: string;
let system: System;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-story-'));
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false });
});
afterAll(async () => {
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

describe('the story that `npm run demo` tells', () => {
  const told: string[] = [];
  const tell = () =>
    tellStory(
      { gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! },
      voice((line) => told.push(line), false),
    );

  it('is true, the purchase and each of its unhappy ends, and leaves the books in order', async () => {
    await tell();
    expect(told.join('\n')).toContain('✓ order failed after hours of faults');
    const sql = connect({ url: system.adminUrl, name: 'story test', connectionsMax: 4 });
    try {
      await until(async () => {
        const broken = await violations(sql);
        if (broken.length > 0) throw new Error(JSON.stringify(broken, null, 1));
        return true;
      });
    } finally {
      await sql.end();
    }
  });

  it('can be told again to the same system', async () => {
    await tell();
    expect(told.filter((line) => line.includes('And in the end'))).toHaveLength(2);
  });

  it('ends at the first thing that is not as told', async () => {
    const lying = voice(() => undefined, false);
    expect(() => lying.check('two and two are five', 2 + 2 === 5)).toThrow(/not so: two and two are five/);
    await expect(tellStory({ gateway: system.urls['catalog']!, sandbox: system.urls['sandbox']! }, lying)).rejects.toThrow('not so');
  });
});
