import { linePolicy } from '../instance/policy.ts';
import type { LogAction } from './log.ts';

/** A place on the line to a provider, to be left when the call is over; or when to come again, because all are taken. */
export type Place = { readonly leave: () => void } | { readonly again: Date };
export type Lines = { readonly enter: (providerId: string, action: LogAction) => Place };

type Line = {
  readonly atOnceMax: number;
  inHand: number;
  /** Up to when moments have been given to those who found no place. */
  givenUntilMs: number;
  /** How long after one another the line's calls have lately been ending. */
  gapMs: number;
};

const atOnceMax = {
  serving: linePolicy.servingAtOnceMax,
  telling: linePolicy.tellingAtOnceMax,
  metering: linePolicy.meteringAtOnceMax,
} as const;

function kindOf(action: LogAction): keyof typeof atOnceMax {
  switch (action) {
    case 'expire':
    case 'destroy':
      return 'telling';
    case 'query-usage':
    case 'set-usage-reminder':
      return 'metering';
    case 'create':
    case 'renew':
    case 'convert':
      return 'serving';
  }
}

/** What one more call weighs in the line's own pace. */
const weight = 1 / 8;

/**
 * Keeps this process from making more calls to one provider at a time than it may. Whoever finds no place is told a moment of its own, one
 * behind the other, so that a hundred thousand calls that came at once do not come back at once.
 */
export function lines(now: () => Date): Lines {
  const open = new Map<string, Line>();
  const { gapMs } = linePolicy;

  function lineOf(key: string, max: number): Line {
    const line = open.get(key) ?? { atOnceMax: max, inHand: 0, givenUntilMs: 0, gapMs: gapMs.first };
    open.set(key, line);
    return line;
  }

  function left(key: string, line: Line, enteredMs: number): void {
    line.inHand--;
    const ownGapMs = Math.min(Math.max((now().getTime() - enteredMs) / line.atOnceMax, gapMs.min), gapMs.max);
    line.gapMs += (ownGapMs - line.gapMs) * weight;
    // A line that nobody waits for is forgotten.
    if (line.inHand === 0 && line.givenUntilMs <= now().getTime()) open.delete(key);
  }

  return {
    enter(providerId, action) {
      const kind = kindOf(action);
      const key = `${providerId} ${kind}`;
      const line = lineOf(key, atOnceMax[kind]);
      const enteredMs = now().getTime();
      if (line.inHand >= line.atOnceMax) {
        line.givenUntilMs = Math.max(enteredMs, line.givenUntilMs) + line.gapMs;
        return { again: new Date(Math.ceil(line.givenUntilMs)) };
      }
      line.inHand++;
      let isOut = false;
      return {
        leave() {
          if (!isOut) left(key, line, enteredMs);
          isOut = true;
        },
      };
    },
  };
}
