const { _tickCallback: tick } = process as unknown as { readonly _tickCallback: () => void };

/**
 * Carries out everything that settled promises have set going, before it returns. Node has no documented way to do that, and waiting a
 * turn of the real event loop after each event instead costs six times as much. Does nothing where promises are being carried out
 * already: it must be called from a callback of the event loop, not from within an async function.
 */
export function settlePromises(): void {
  tick();
}

/** Runs it where `settlePromises` works. */
export const onEventLoop = <T>(run: () => T): Promise<T> =>
  new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(run());
      } catch (error) {
        reject(error as Error);
      }
    });
  });
