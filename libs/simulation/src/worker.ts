import { parentPort } from 'node:worker_threads';
import { findingsOf, together, type Findings } from './findings.ts';
import type { Portion } from './pool.ts';
import { simulate } from './run.ts';

// One thread of the pool: runs the portions of seeds that it is given, and answers each with what it found.

// Most errors here are part of the game, and nobody reads where they were thrown: a seed that fails is run again to be looked at.
Error.stackTraceLimit = 0;

parentPort?.on('message', ({ first, count }: Portion) => {
  void runAll(first, count).then((findings) => parentPort?.postMessage(findings));
});

async function runAll(first: number, count: number): Promise<Findings> {
  const found: Findings[] = [];
  for (let seed = first; seed < first + count; seed++) found.push(findingsOf(await simulate({ seed })));
  return together(found);
}
