/** Fetching a bill and laying it beside our books. */
import { Channel } from '@yunshi/contracts/payment';
import { outsideCall, performs, type Performer } from '@yunshi/messaging/handle';
import { reconciliationDiffered } from '@yunshi/telemetry/metrics';
import { z } from 'zod';
import { attemptOf } from '../payment/numbers.ts';
import type { ReconciliationBook } from './book.ts';
import { Class, compare, Finding } from './compare.ts';
import { span } from './schedule.ts';
import { Line, type StatementSource } from './statement.ts';

export const fetchStatement = outsideCall('reconciliation.fetch', {
  request: z.object({ channel: Channel, day: z.iso.date() }),
  outcome: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('compared'), hash: z.string().nullable(), lines: z.array(Line), findings: z.array(Finding) }),
    z.object({ kind: z.literal('not-yet') }),
    z.object({ kind: z.literal('unusable'), why: z.string() }),
  ]),
});

/** Payments are told by their attempt, whichever of its numbers a bill names; refunds by their own. */
export const keyOf = ({ kind, number }: Pick<Line, 'kind' | 'number'>): string =>
  kind === 'payment' ? (attemptOf(number) ?? number) : number;

type Deps = { readonly sources: readonly StatementSource[]; readonly book: Pick<ReconciliationBook, 'ours'> };

export const statementPerformer = ({ sources, book }: Deps): Performer =>
  performs(fetchStatement, async ({ channel, day }, { signal }) => {
    const source = sources.find((one) => one.channel === channel);
    if (!source) return { kind: 'unusable' as const, why: `${channel} is not in service here` };
    const statement = await source.fetch(day, signal);
    if (statement.kind === 'not-yet' || statement.kind === 'unusable') return statement;
    const lines = statement.kind === 'empty' ? [] : [...statement.lines];
    const ours = await book.ours({ channel, day, ...(source.spanOf ?? span)(day) }, lines);
    const findings = compare(lines, ours, source.feeOf, keyOf);
    for (const name of Class.options) {
      const count = findings.filter((finding) => finding.class === name).length;
      if (count > 0) reconciliationDiffered({ kind: name, count });
    }
    return { kind: 'compared' as const, hash: statement.kind === 'empty' ? null : statement.hash, lines, findings };
  });
