import { productsAfter, type CatalogueMark, type productChanged } from '@yunshi/contracts/catalog';
import type { Core } from '@yunshi/messaging/core';
import { Unavailable } from '@yunshi/messaging/faults';

/** The newest that the catalogue tells of a product, by event or page. */
export type ProductNews = ReturnType<typeof productChanged>['data'];

type CatchingUp = {
  readonly core: Pick<Core, 'ask'>;
  /** What the replica holds now. */
  readonly known: () => Promise<CatalogueMark>;
  /** Takes one product in, unless a newer version is there already. */
  readonly learn: (news: ProductNews) => Promise<unknown>;
  readonly onFault: (what: string, error: unknown) => void;
};

const askMsMax = 5_000;
/** Between two tries while the catalogue does not answer, doubled each time. */
const retryMsMin = 250;
const retryMsMax = 30_000;

/**
 * Brings a replica of the catalogue up to date at start. Events do it from then on, but the stream forgets them after a week, and a
 * database that was reset has none. Where nothing is missing it costs one question. Answers how to give up; runs on its own until then,
 * because a service must not wait for another to start.
 */
export function catchUpWithCatalogue(parts: CatchingUp): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function run(waitMs: number): Promise<void> {
    try {
      await learnAll(parts, () => stopped);
    } catch (error) {
      if (stopped) return;
      if (!(error instanceof Unavailable)) parts.onFault('catching up with the catalogue', error);
      timer = setTimeout(() => void run(Math.min(waitMs * 2, retryMsMax)), waitMs);
      timer.unref();
    }
  }
  void run(retryMsMin);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function learnAll({ core, known, learn }: CatchingUp, isStopped: () => boolean): Promise<void> {
  let page = await core.ask(productsAfter, { known: await known() }, askMsMax);
  for (;;) {
    await Promise.all(page.products.map(learn));
    if (page.next === null || isStopped()) return;
    page = await core.ask(productsAfter, { after: page.next }, askMsMax);
  }
}
