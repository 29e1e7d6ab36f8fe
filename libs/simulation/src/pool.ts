import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { nothingFound, together, type Findings } from './findings.ts';

/** Seeds from `first`, as many as `count`. */
export type Portion = { readonly first: number; readonly count: number };

const portionSize = 100;

/** Runs the seeds on all cores. `told` hears of the findings so far, after each portion. */
export async function simulateMany(
  { first, count }: Portion,
  told: (soFar: Findings) => void = () => undefined,
  threads = availableParallelism(),
): Promise<Findings> {
  let next = first;
  let soFar = nothingFound;
  const take = (): Portion | undefined => {
    const portion = { first: next, count: Math.min(portionSize, first + count - next) };
    next += portion.count;
    return portion.count > 0 ? portion : undefined;
  };
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    try {
      for (let portion = take(); portion; portion = take()) {
        const found = await answerOf(worker, portion);
        soFar = together([soFar, found]);
        told(soFar);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, Math.ceil(count / portionSize)) }, work));
  return { ...soFar, failed: soFar.failed.toSorted((a, b) => a.seed - b.seed) };
}

function answerOf(worker: Worker, portion: Portion): Promise<Findings> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (findings: Findings) => {
      worker.off('error', reject);
      resolve(findings);
    });
    worker.postMessage(portion);
  });
}
