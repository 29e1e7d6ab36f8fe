/** Collects what is asked within one turn of the event loop and asks it all at once. `ask` answers in the order of its items. */
export function together<Q, A>(ask: (items: readonly Q[]) => Promise<readonly A[]>): (item: Q) => Promise<A> {
  type Waiting = { readonly item: Q; readonly resolve: (answer: A) => void; readonly reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  const askAll = (): void => {
    const asked = waiting;
    waiting = [];
    ask(asked.map(({ item }) => item)).then(
      (answers) => asked.forEach(({ resolve }, nth) => resolve(answers[nth]!)),
      (error: unknown) => asked.forEach(({ reject }) => reject(error)),
    );
  };
  return (item) =>
    new Promise((resolve, reject) => {
      // The next tick comes when all that could run has run, and has asked what it wants to know.
      if (waiting.push({ item, resolve, reject }) === 1) process.nextTick(askAll);
    });
}
