import type { Part, System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import type { Random } from './random.ts';

/** A fault at work. */
export type Fault = {
  /** What it hit, for whoever reads the log. */
  readonly target: string;
  /** How often it was seen to do something; asked before it is healed. A fault that does nothing proves nothing. */
  readonly seen: () => number | Promise<number>;
  readonly heal: () => Promise<void>;
};

/** One kind of fault. */
export type Nemesis = {
  readonly kind: string;
  /** Begins it; undefined when everything that it could hit has been hit by another in this period. */
  readonly strike: (random: Random, claim: (part: Part) => boolean) => Promise<Fault | undefined>;
};

const raiseWithinMs = 120_000;

/** Starts a part again, however often that takes: what it needs may be down too. */
export const raise = (system: System, part: Part): Promise<unknown> =>
  until(() => system.restart(part).then(() => true), { within: raiseWithinMs, every: 500, what: `${part} is up again` });
