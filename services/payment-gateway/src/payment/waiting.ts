import type { Core } from '@yunshi/messaging/core';

/** Another process may make the change: its commits are seen only by looking. */
const LOOK_AGAIN_MS = 250;

/**
 * Looks until the row is as wanted, woken by each commit of this process that saves it. Answers what was seen last when the time is over:
 * the caller must be able to live with that.
 */
export async function waitUntil<R>(
  { watch }: Pick<Core, 'watch'>,
  rows: { readonly name: string },
  key: string,
  look: () => Promise<R>,
  wanted: (row: R) => boolean,
  msMax: number,
): Promise<R> {
  const until = performance.now() + msMax;
  let wake = (): void => undefined;
  // Watched before the first look, so that no commit falls in between.
  const forget = watch(rows, key, () => wake());
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_AGAIN_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      const row = await look();
      if (wanted(row) || performance.now() >= until) {
        wake();
        return row;
      }
      await woken;
    }
  } finally {
    forget();
  }
}
