import type { Core } from './core.ts';

/** Another process may make the change: its commits are seen only by looking. */
const LOOK_AGAIN_MS = 250;

export type Following<R> = {
  /**
   * Waits until the row is as wanted. Answers what was seen last when the time is over: the caller must be able to live with that.
   * A row that no commit has told of yet is looked for at once, unless `mayComeLater` says that it is not expected to be there.
   */
  readonly until: (wanted: (row: R) => boolean, msMax: number, how?: { readonly mayComeLater: boolean }) => Promise<R | undefined>;
  readonly stop: () => void;
};

/** Follows a row by the commits of this process, which bring it along, and by looking now and then. */
export function follow<R>(
  { watch }: Pick<Core, 'watch'>,
  rows: { readonly name: string; readonly keyOf: (row: R) => string },
  key: string,
  look: () => Promise<R | undefined>,
): Following<R> {
  let newest: R | undefined;
  let commits = 0;
  let wake = (): void => undefined;
  const stop = watch(rows, key, (row) => {
    newest = row;
    commits++;
    wake();
  });

  const nextCommit = (msMax: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, msMax);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function lookNow(): Promise<void> {
    const before = commits;
    const seen = await look();
    // What was committed meanwhile is newer than what was read.
    if (commits === before) newest = seen ?? newest;
  }

  return {
    async until(wanted, msMax, { mayComeLater } = { mayComeLater: false }) {
      const over = performance.now() + msMax;
      if (newest === undefined && !mayComeLater) await lookNow();
      for (;;) {
        if (newest !== undefined && wanted(newest)) return newest;
        if (performance.now() >= over) return newest;
        const before = commits;
        await nextCommit(LOOK_AGAIN_MS);
        if (commits === before) await lookNow();
      }
    },
    stop,
  };
}
